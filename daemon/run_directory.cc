#include "daemon/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace vipd::daemon {

namespace {
tl::unexpected<Error> refused(const std::string& doing, int code, const std::string& option = "--run-dir") {
  return failure(fmt::format("{}: {} (another place: {})", doing, std::strerror(code), option), code);
}

Result<> make_directory(const std::string& path, const std::string& option) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return refused("making the directory " + path, error.value(), option);
  return {};
}
}  // namespace

Result<io::Fd> take_run_directory(const Paths& paths) {
  TRY_VOID(make_directory(paths.run_dir, "--run-dir"));
  TRY_VOID(make_directory(paths.state_dir, "--state-dir"));
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

}  // namespace vipd::daemon
