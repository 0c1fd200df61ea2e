#include "daemon/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace vipd::daemon {

namespace {
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds longest_wait = 50s;  // the longest release, and a little more
constexpr std::chrono::milliseconds look_again = 10ms;

tl::unexpected<Error> refused(const std::string& doing, int code) {
  return failure(fmt::format("{}: {} (another place: --run-dir)", doing, std::strerror(code)), code);
}

constexpr auto events_mode = static_cast<std::filesystem::perms>(0750);

bool lock_it(const io::Fd& file) {
  return flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

// Whose number is in it; 0: nobody's.
pid_t holder_of(const io::Fd& file) {
  std::array<char, 32> text{};
  const auto size = pread(file.get(), text.data(), text.size() - 1, 0);
  return size > 0 ? static_cast<pid_t>(std::strtol(text.data(), nullptr, 10)) : 0;
}

// A guardian that was killed leaves a router that hands its addresses over first: two routers of one node
// would take them from each other.
bool is_left_behind(pid_t holder) {
  return holder > 0 && kill(holder, 0) != 0 && errno == ESRCH;
}

bool lock_after_waiting(const io::Fd& file, pid_t holder) {
  fmt::print(stderr, "vipd: the router of process {}, which was killed, hands its addresses over: waiting\n",
             holder);
  for (auto waited = 0ms; waited < longest_wait; waited += look_again) {
    std::this_thread::sleep_for(look_again);
    if (lock_it(file)) return true;
  }
  return false;
}
}  // namespace

Result<io::Fd> take_run_directory(const Paths& paths) {
  std::error_code error;
  std::filesystem::create_directories(paths.run_dir, error);
  if (error) return refused("making the directory " + paths.run_dir, error.value());
  const auto path = paths.lock_file();
  io::Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return refused("opening " + path, errno);
  if (!lock_it(lock)) {
    const auto holder = holder_of(lock);
    if (!is_left_behind(holder))
      return failure(
          fmt::format(
              "{} is in use by another vipd (process {}): stop that one first, or give this one another "
              "--run-dir",
              paths.run_dir, holder > 0 ? std::to_string(holder) : "?"),
          EBUSY);
    if (!lock_after_waiting(lock, holder))
      return failure(
          fmt::format("{} is in use by a vipd-router that does not end, although its vipd (process "
                      "{}) was killed: kill it first",
                      paths.run_dir, holder),
          EBUSY);
  }
  const auto pid = std::to_string(getpid());
  if (ftruncate(lock.get(), 0) != 0 || pwrite(lock.get(), pid.data(), pid.size(), 0) < 0)
    return refused("writing " + path, errno);
  return lock;
}

Result<> make_events_directory(const std::string& path, const Privileges& privileges) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error)
    return failure(
        fmt::format("events cannot be kept on disk: making the directory {}: {} (another place: --state-dir, "
                    "or events, directory in vipd.yaml)",
                    path, error.message()),
        error.value());
  if (!made) return {};  // what was there has its owner
  std::filesystem::permissions(path, events_mode, error);
  privileges.give_to_monitor(path);
  return {};
}

}  // namespace vipd::daemon
