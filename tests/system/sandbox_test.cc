#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "programs/common/landlock.h"
#include "programs/common/seccomp_filter.h"
#include "tests/checks/scratch.h"

using namespace vipd;
using namespace vipd::programs;

namespace {
struct Outcome {
  int status = 0;
  std::string errors;
};

// What becomes of a process that does this, and what it says.
Outcome in_child(const std::function<int()>& deed) {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const auto pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    _exit(deed());
  }
  close(ends[1]);
  Outcome outcome;
  std::array<char, 4096> buffer;
  for (ssize_t size = 0; (size = read(ends[0], buffer.data(), buffer.size())) > 0;)
    outcome.errors.append(buffer.data(), static_cast<std::size_t>(size));
  close(ends[0]);
  REQUIRE(waitpid(pid, &outcome.status, 0) == pid);
  return outcome;
}
}  // namespace

TEST_CASE("a system call that a program may not make ends it with a line that names it") {
  struct Case {
    Part part;
    const char* name;
    std::function<void()> deed;
  };
  const Case cases[] = {
      {Part::router, "clone", [] { (void)fork(); }},
      {Part::router, "execve", [] { execl("/bin/true", "true", nullptr); }},
      {Part::router, "setuid", [] { (void)!setuid(1); }},
      {Part::monitor, "execve", [] { execl("/bin/true", "true", nullptr); }},
      {Part::monitor, "clone", [] { (void)fork(); }},
      {Part::router, "unlink", [] { (void)!unlink("/tmp/vipd-not-there"); }},
      {Part::monitor, "rename", [] { (void)!rename("/tmp/vipd-not-there", "/tmp/vipd-not-here"); }},
  };
  for (const auto& each : cases) {
    CAPTURE(each.name);
    const auto outcome = in_child([&] {
      if (!restrict_system_calls(each.part)) return 1;
      each.deed();
      return 0;
    });
    REQUIRE(WIFEXITED(outcome.status));
    CHECK(WEXITSTATUS(outcome.status) == 128 + SIGSYS);
    CHECK(outcome.errors.find(std::string("system call ") + each.name) != std::string::npos);
    CHECK(outcome.errors.find("--no-sandbox") != std::string::npos);
  }
}

TEST_CASE("what the programs do all day is allowed") {
  for (const auto part : {Part::router, Part::monitor}) {
    const auto outcome = in_child([&] {
      if (!restrict_system_calls(part)) return 1;
      const int fd = socket(AF_INET, SOCK_DGRAM, 0);
      return fd >= 0 && close(fd) == 0 ? 0 : 2;
    });
    CHECK(outcome.status == 0);
  }
}

TEST_CASE("files that are not named can neither be read nor written") {
  const auto outcome = in_child([] {
    const auto restricted = restrict_files({{"/usr", "/etc/hostname"}, {"/dev/null", "/no/such/file"}});
    if (!restricted) return 1;
    if (!*restricted) return 0;  // the kernel has no Landlock
    if (open("/usr", O_RDONLY) < 0) return 2;
    if (open("/dev/null", O_WRONLY) < 0) return 3;
    if (open("/etc/passwd", O_RDONLY) >= 0) return 4;
    if (open("/usr/vipd-not-there", O_WRONLY | O_CREAT, 0600) >= 0) return 5;
    return 0;
  });
  CHECK(outcome.status == 0);
}

TEST_CASE("where files may be kept they can be made, written and removed, and nowhere else") {
  const testing::Scratch scratch;
  const auto kept = scratch.path() + "/kept";
  std::filesystem::create_directory(kept);
  const auto outcome = in_child([&] {
    const auto restricted = restrict_files({{"/"}, {}, {kept}});
    if (!restricted) return 1;
    if (!*restricted) return 0;  // the kernel has no Landlock
    const auto make = [](const std::string& path) {
      const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
      return fd >= 0 && write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && unlink(path.c_str()) == 0;
    };
    if (!make(kept + "/file")) return 2;
    if (mkdir((kept + "/events").c_str(), 0700) != 0) return 3;
    if (!make(kept + "/events/file")) return 4;
    if (make(scratch.path() + "/file")) return 5;
    if (symlink("/etc/passwd", (kept + "/link").c_str()) == 0) return 6;
    return 0;
  });
  CHECK(outcome.status == 0);
}

TEST_CASE("a file where a directory to keep files in was meant switches off no restriction") {
  const testing::Scratch scratch;
  const auto file = scratch.file("file", "x");
  const auto outcome = in_child([&] {
    const auto restricted = restrict_files({{"/usr"}, {}, {file}});
    if (!restricted) return 1;
    if (!*restricted) return 0;  // the kernel has no Landlock
    return open("/etc/passwd", O_RDONLY) < 0 ? 0 : 2;
  });
  CHECK(outcome.status == 0);
}
