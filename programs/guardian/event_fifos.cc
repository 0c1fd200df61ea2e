#include "programs/guardian/event_fifos.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

namespace vipd::programs {

namespace {
constexpr mode_t fifo_mode = 0600;

std::string without_reader(const std::string& path) {
  return fmt::format("no process reads the FIFO {}, or it reads too slowly", path);
}
}  // namespace

// A failure to make one is reported with the first line.
void EventFifos::replace(const std::set<std::string>& paths) {
  std::erase_if(fifos_, [&](const auto& fifo) { return !paths.contains(fifo.first); });
  for (const auto& path : paths) {
    fifos_[path];
    (void)mkfifo(path.c_str(), fifo_mode);
  }
}

std::optional<std::string> EventFifos::write(const std::string& path, const std::string& line) {
  auto& fifo = fifos_[path];
  const auto written = write(fifo, path, line + "\n");
  auto trouble = written ? std::string() : written.error().message;
  if (std::exchange(fifo.trouble, trouble) == trouble || written) return std::nullopt;
  return trouble;
}

// Makes it if there is nothing at this path.
Result<> EventFifos::open(Fifo& fifo, const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    return failure(fmt::format("the FIFO {}: {}", path, why));
  };
  if (mkfifo(path.c_str(), fifo_mode) != 0 && errno != EEXIST) return cannot(std::strerror(errno));
  struct stat status{};
  if (lstat(path.c_str(), &status) == 0 && !S_ISFIFO(status.st_mode))
    return cannot("the file exists and is not a FIFO");
  io::Fd fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENXIO) return failure(without_reader(path));
  if (!fd || fstat(fd.get(), &status) != 0) return cannot(std::strerror(errno));
  if (!S_ISFIFO(status.st_mode)) return cannot("the file exists and is not a FIFO");
  fifo.fd = std::move(fd);
  return {};
}

// Writes whole lines or nothing, and no line longer than a pipe takes at once.
Result<> EventFifos::write(Fifo& fifo, const std::string& path, const std::string& line) {
  if (line.size() > PIPE_BUF)
    return failure(fmt::format("the FIFO {} takes no line longer than {} bytes", path, PIPE_BUF));
  for (const bool again : {true, false}) {
    if (!fifo.fd) TRY_VOID(open(fifo, path));
    if (::write(fifo.fd.get(), line.data(), line.size()) >= 0) return {};
    if (errno != EPIPE || !again) break;
    fifo.fd.reset();  // the reader has gone; there may be a new one
  }
  return failure(without_reader(path));
}

}  // namespace vipd::programs
