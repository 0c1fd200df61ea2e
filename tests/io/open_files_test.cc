#include "io/open_files.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "io/fd.h"

using namespace vipd;

namespace {

bool we_are_among(const std::vector<pid_t>& users) {
  return std::ranges::find(users, getpid()) != users.end();
}

TEST_CASE("a process that has a file open is found until it closes it") {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("vipd_open_files_{}", getpid());
  io::Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(file);
  const auto name = std::filesystem::canonical(path).string();
  CHECK(we_are_among(io::users_of(name)));
  CHECK(std::ranges::count(io::users_of(name), getpid()) == 1);
  file = io::Fd();
  CHECK_FALSE(we_are_among(io::users_of(name)));
  std::filesystem::remove(path);
}

TEST_CASE("a process that has a socket open is found by its inode") {
  const io::Fd ours(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct stat status{};
  REQUIRE(fstat(ours.get(), &status) == 0);
  CHECK(io::users_of(fmt::format("socket:[{}]", status.st_ino)) == std::vector<pid_t>{getpid()});
  CHECK(io::users_of("socket:[]").empty());
}

}  // namespace
