#include "programs/guardian/event_fifos.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <string>

#include "tests/checks/scratch.h"

using namespace vipd;
using namespace vipd::programs;

namespace {
struct Setting {
  testing::Scratch scratch;
  std::string path = scratch.path() + "/events";
  EventFifos fifos;

  Setting() {
    std::signal(SIGPIPE, SIG_IGN);  // as every program of vipd does
    fifos.replace({path});
  }
  io::Fd reader() const { return io::Fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)); }
};

std::string read_from(const io::Fd& reader) {
  std::string text(4096, '\0');
  const auto size = read(reader.get(), text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}
}  // namespace

TEST_CASE("FIFO: a reader gets each line, and may have opened the FIFO before the first event") {
  Setting setting;
  const auto reader = setting.reader();
  REQUIRE(reader);
  CHECK_FALSE(setting.fifos.write(setting.path, "one"));
  CHECK_FALSE(setting.fifos.write(setting.path, "two"));
  CHECK(read_from(reader) == "one\ntwo\n");
}

TEST_CASE("FIFO: that no process reads it is reported once, and again after it has worked") {
  Setting setting;
  const auto trouble = setting.fifos.write(setting.path, "lost");
  REQUIRE(trouble);
  CHECK(trouble->find(setting.path) != std::string::npos);
  CHECK_FALSE(setting.fifos.write(setting.path, "lost too"));
  {
    const auto reader = setting.reader();
    CHECK_FALSE(setting.fifos.write(setting.path, "read"));
    CHECK(read_from(reader) == "read\n");
  }
  CHECK(setting.fifos.write(setting.path, "lost again"));
}

TEST_CASE("FIFO: a new reader gets the lines that follow") {
  Setting setting;
  {
    const auto first = setting.reader();
    CHECK_FALSE(setting.fifos.write(setting.path, "to the first"));
  }
  const auto second = setting.reader();
  CHECK_FALSE(setting.fifos.write(setting.path, "to the second"));
  CHECK(read_from(second).ends_with("to the second\n"));
}

TEST_CASE("FIFO: a file at its path is left as it is") {
  const testing::Scratch scratch;
  const auto path = scratch.file("events", "precious");
  EventFifos fifos;
  fifos.replace({path});
  const auto trouble = fifos.write(path, "line");
  REQUIRE(trouble);
  CHECK(trouble->find("is not a FIFO") != std::string::npos);
  CHECK(std::filesystem::file_size(path) == 8);
}

TEST_CASE("FIFO: a line that a pipe would tear apart is not written") {
  Setting setting;
  const auto reader = setting.reader();
  CHECK(setting.fifos.write(setting.path, std::string(PIPE_BUF, 'x')));
  CHECK(read_from(reader).empty());
}
