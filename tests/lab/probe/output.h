// Output: the lines that the lab reads, and how the probe ends when it cannot go on. Times are nanoseconds of
// CLOCK_MONOTONIC.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>

#include <fmt/format.h>

namespace lab_probe {

using Nanoseconds = std::int64_t;
constexpr Nanoseconds millisecond = 1'000'000;

inline Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

[[noreturn]] inline void die(const std::string& doing) {
  const int code = errno;
  fmt::print(stderr, "lab_probe: {}: {}\n", doing, std::strerror(code));
  std::exit(1);
}

[[noreturn]] inline void usage(const std::string& why) {
  fmt::print(
      stderr,
      "lab_probe: {}\nusage: lab_probe echo NAME PORT | client TASK... | watch INTERFACE TASK... | stalls | "
      "flood INTERFACE RATE MILLISECONDS\n",
      why);
  std::exit(2);
}

inline int checked(int result, const std::string& doing) {
  if (result < 0) die(doing);
  return result;
}

// Lines to stdout. Never waits for the reader: a client that stands still would measure its own reader.
class Output {
 public:
  Output() { fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20); }

  void line(const std::string& text) {
    const std::lock_guard lock(mutex_);
    pending_ += text;
    pending_ += '\n';
  }
  void flush() {
    line(fmt::format("t {}", now()));
    const std::lock_guard lock(mutex_);
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    const auto written = write(STDOUT_FILENO, pending_.data(), pending_.size());
    if (written > 0) pending_.erase(0, static_cast<std::size_t>(written));
    if (written < 0 && errno == EPIPE) std::exit(0);
  }

 private:
  std::mutex mutex_;
  std::string pending_;
};

inline Output output;

}  // namespace lab_probe
