#include "daemon/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace vipd::daemon {

namespace {
tl::unexpected<Error> refused(const std::string& doing, int code) {
  return failure(fmt::format("{}: {} (another place: --run-dir)", doing, std::strerror(code)), code);
}

constexpr auto events_mode = static_cast<std::filesystem::perms>(0750);
}  // namespace

Result<io::Fd> take_run_directory(const Paths& paths) {
  std::error_code error;
  std::filesystem::create_directories(paths.run_dir, error);
  if (error) return refused("making the directory " + paths.run_dir, error.value());
  const auto path = paths.lock_file();
  io::Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) return refused("opening " + path, errno);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 32> pid{};
    const auto size = pread(lock.get(), pid.data(), pid.size() - 1, 0);
    return failure(
        fmt::format(
            "{} is in use by another vipd (process {}): stop that one first, or give this one another "
            "--run-dir",
            paths.run_dir, size > 0 ? std::string(pid.data(), static_cast<std::size_t>(size)) : "?"),
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
