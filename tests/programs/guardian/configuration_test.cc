// Which configuration is in force: after a reload, without a confirmation, with errors in the file.
#include "programs/guardian/configuration.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>

#include "conf/load.h"
#include "tests/checks/scratch.h"

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint start{1000s};

std::string text(int priority) {
  return fmt::format(
      "virtual_routers:\n  edge:\n    interface: eth0\n    vrid: 51\n    priority: {}\n"
      "    addresses: [192.0.2.10/24]\n",
      priority);
}

Result<> anything(const conf::Config&) {
  return {};
}

// A file, first with priority 100, which is in force.
struct Setting {
  testing::Scratch scratch;
  std::string file = scratch.file("vipd.yaml", text(100));
  Configuration configuration{file, "node-a", *conf::load_printed(file, text(100)).config};

  void write(const std::string& content) const { scratch.file("vipd.yaml", content); }
  int priority() const { return configuration.current().virtual_routers.at(0).priority; }
  std::string reload(std::optional<Duration> confirm = {}, TimePoint now = start,
                     const Configuration::Permit& permit = anything) {
    const auto done = configuration.reload(confirm, now, permit);
    return done ? done->text() : "refused: " + done.error().message;
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
}  // namespace

TEST_CASE("configuration: a reload takes effect and names the change") {
  Setting setting;
  setting.write(text(90));
  const auto said = setting.reload();
  CHECK(contains(said, "100"));
  CHECK(contains(said, "90"));
  CHECK(setting.priority() == 90);
  CHECK(setting.configuration.deadline() == never);
}

TEST_CASE("configuration: a file with an error changes nothing, and the error has its place") {
  Setting setting;
  setting.write(text(300));
  CHECK(contains(setting.reload(), setting.file + ":5:"));
  CHECK(setting.priority() == 100);
}

TEST_CASE("configuration: a file that has gone changes nothing") {
  Setting setting;
  std::filesystem::remove(setting.file);
  CHECK(contains(setting.reload(), "No such file or directory"));
  CHECK(setting.priority() == 100);
}

TEST_CASE("configuration: what the guardian does not permit changes nothing") {
  Setting setting;
  setting.write(text(90));
  CHECK(setting.reload({}, start, [](const conf::Config&) -> Result<> {
    return failure("another vipd has it");
  }) == "refused: another vipd has it");
  CHECK(setting.priority() == 100);
}

TEST_CASE("configuration: a reload without a confirmation is undone when its time is over, once") {
  Setting setting;
  setting.write(text(90));
  setting.reload(30s);
  CHECK(setting.priority() == 90);
  CHECK(setting.configuration.deadline() == start + 30s);
  CHECK_FALSE(setting.configuration.expire(start + 29999ms));
  CHECK(setting.configuration.expire(start + 30s));
  CHECK(setting.priority() == 100);
  CHECK(setting.configuration.deadline() == never);
  CHECK_FALSE(setting.configuration.expire(start + 60s));
}

TEST_CASE("configuration: a confirmed reload stays") {
  Setting setting;
  setting.write(text(90));
  setting.reload(30s);
  CHECK(setting.configuration.confirm());
  CHECK_FALSE(setting.configuration.expire(start + 60s));
  CHECK(setting.priority() == 90);
  CHECK_FALSE(setting.configuration.confirm());  // there is nothing left to confirm
}

TEST_CASE("configuration: two unconfirmed reloads are undone to what was confirmed last") {
  Setting setting;
  setting.write(text(90));
  setting.reload(30s);
  setting.write(text(80));
  setting.reload(30s, start + 10s);
  CHECK(setting.priority() == 80);
  CHECK(setting.configuration.deadline() == start + 40s);
  CHECK(setting.configuration.expire(start + 40s));
  CHECK(setting.priority() == 100);
}

TEST_CASE("configuration: a reload without a condition confirms the one before it") {
  Setting setting;
  setting.write(text(90));
  setting.reload(30s);
  setting.reload();
  CHECK(setting.configuration.deadline() == never);
  CHECK(setting.priority() == 90);
}

TEST_CASE("configuration: a reload that is refused leaves the unconfirmed one before it as it is") {
  Setting setting;
  setting.write(text(90));
  setting.reload(30s);
  setting.write("nonsense");
  CHECK(contains(setting.reload(10s, start + 5s), "refused"));
  CHECK(setting.configuration.deadline() == start + 30s);
  CHECK(setting.configuration.expire(start + 30s));
  CHECK(setting.priority() == 100);
}

TEST_CASE("configuration: a reload that changes nothing needs no confirmation") {
  Setting setting;
  setting.reload(30s);
  CHECK(setting.configuration.deadline() == never);
}
