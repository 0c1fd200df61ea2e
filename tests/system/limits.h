// What a process is allowed, for tests of what is said when that is not enough.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <string>

#include "io/fd.h"

namespace vipd::test {

// Of this process, for as long as it lives.
class Limit {
 public:
  Limit(decltype(RLIMIT_NOFILE) what, rlim_t value) : what_(what) {
    REQUIRE(getrlimit(what, &before_) == 0);
    const rlimit now{value, before_.rlim_max};
    REQUIRE(setrlimit(what, &now) == 0);
  }
  Limit(const Limit&) = delete;
  ~Limit() { setrlimit(what_, &before_); }

 private:
  decltype(RLIMIT_NOFILE) what_;
  rlimit before_{};
};

// One more descriptor can be opened, and no second one.
inline rlim_t one_more() {
  const io::Fd next(dup(STDERR_FILENO));
  return static_cast<rlim_t>(next.get()) + 1;
}

// What it writes to standard error, in a process of its own.
inline std::string errors_of(const std::function<void()>& deed) {
  std::array<int, 2> ends{};
  REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
  const auto pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDERR_FILENO);
    deed();
    std::fflush(nullptr);
    _exit(0);
  }
  close(ends[1]);
  std::string errors;
  std::array<char, 4096> buffer;
  for (ssize_t size = 0; (size = read(ends[0], buffer.data(), buffer.size())) > 0;)
    errors.append(buffer.data(), static_cast<std::size_t>(size));
  close(ends[0]);
  REQUIRE(waitpid(pid, nullptr, 0) == pid);
  return errors;
}

}  // namespace vipd::test
