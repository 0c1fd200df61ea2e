#include "programs/guardian/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "io/open_files.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds longest_wait = 50s;  // the longest release, and a little more
constexpr std::chrono::milliseconds look_again = 10ms;
constexpr std::chrono::milliseconds longest_stillness = 1s;  // of a router, as in the guardian

tl::unexpected<Error> refused(const std::string& doing, int code) {
  return failure(fmt::format("{}: {}: set another --run-dir", doing, std::strerror(code)), code);
}

constexpr auto events_mode = static_cast<std::filesystem::perms>(0750);

bool lock_it(const io::Fd& file) {
  return flock(file.get(), LOCK_EX | LOCK_NB) == 0;
}

// The process number in it; 0: none.
pid_t holder_of(const io::Fd& file) {
  std::array<char, 32> text{};
  const auto size = pread(file.get(), text.data(), text.size() - 1, 0);
  return size > 0 ? static_cast<pid_t>(std::strtol(text.data(), nullptr, 10)) : 0;
}

// The state in /proc/PID/stat: 'T' is stopped, 'Z' dead. 0: there is no such process.
char state_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string stat;
  std::getline(file, stat);
  const auto name_end = stat.rfind(") ");
  return name_end == std::string::npos || name_end + 2 >= stat.size() ? '\0' : stat[name_end + 2];
}

// The router of a killed guardian must hand over its addresses first: two routers of one node would take them
// from each other.
bool is_left_behind(pid_t holder) {
  if (holder <= 0) return false;
  const char state = state_of(holder);
  return state == '\0' || state == 'Z';
}

// The processes that have the file open, except this one.
std::vector<pid_t> others_with(const std::string& path) {
  std::error_code ignored;
  auto users = io::users_of(std::filesystem::canonical(path, ignored));
  std::erase(users, getpid());
  return users;
}

// Kills a router that is stopped; its guardian, which would do so after a second, is gone.
void kill_stopped_router(const std::string& path) {
  for (const auto pid : others_with(path)) {
    const char state = state_of(pid);
    if ((state != 'T' && state != 't') || kill(pid, SIGKILL) != 0) continue;
    fmt::print(stderr, "vipd: killing vipd-router (process {}): it is stopped and cannot hand over\n", pid);
  }
}

bool lock_after_waiting(const io::Fd& file, const std::string& path, pid_t holder) {
  fmt::print(
      stderr,
      "vipd: waiting for the vipd-router of process {}, which was killed, to hand over its addresses\n",
      holder);
  for (auto waited = 0ms; waited < longest_wait; waited += look_again) {
    std::this_thread::sleep_for(look_again);
    if (lock_it(file)) return true;
    if (waited % longest_stillness == 0ms && waited > 0ms) kill_stopped_router(path);
  }
  return false;
}
}  // namespace

Result<RunDirectory> take_run_directory(const Paths& paths) {
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
          fmt::format("another vipd (process {1}) uses {0}: stop that one first, or give this one another "
                      "--run-dir",
                      paths.run_dir, holder > 0 ? std::to_string(holder) : "?"),
          EBUSY);
    if (!lock_after_waiting(lock, path, holder))
      return failure(
          fmt::format(
              "a vipd-router (process {1}) that does not end uses {0}, although its vipd (process {2}) was "
              "killed: kill it first",
              paths.run_dir, fmt::join(others_with(path), ", "), holder),
          EBUSY);
  }
  const auto killed = holder_of(lock);
  const auto pid = std::to_string(getpid());
  if (ftruncate(lock.get(), 0) != 0 || pwrite(lock.get(), pid.data(), pid.size(), 0) < 0)
    return refused("writing " + path, errno);
  return RunDirectory{std::move(lock), killed};
}

void leave_run_directory(const Paths& paths) {
  std::error_code ignored;
  std::filesystem::remove(paths.control_socket(), ignored);
  std::filesystem::resize_file(paths.lock_file(), 0, ignored);
}

Result<> make_events_directory(const std::string& path, const Privileges& privileges) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error)
    return failure(
        fmt::format("cannot write events to disk: making the directory {}: {}: set --state-dir, or events, "
                    "directory in vipd.yaml",
                    path, error.message()),
        error.value());
  if (!made) return {};  // an existing directory keeps its owner
  std::filesystem::permissions(path, events_mode, error);
  privileges.give_to_monitor(path);
  return {};
}

}  // namespace vipd::programs
