#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "io/fd.h"

namespace vipd::daemon {

namespace {
std::optional<std::int64_t> number_in_environment(const char* name) {
  const char* text = std::getenv(name);
  std::int64_t number = 0;
  if (!text) return std::nullopt;
  const auto* end = text + std::strlen(text);
  if (const auto read = std::from_chars(text, end, number); read.ec != std::errc() || read.ptr != end)
    return std::nullopt;
  return number;
}
}  // namespace

void notify_service_manager(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (!path || std::strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const io::Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), length);
}

std::string reloading(TimePoint now) {
  const auto time = std::chrono::floor<std::chrono::microseconds>(now.time_since_epoch());
  return fmt::format("RELOADING=1\nMONOTONIC_USEC={}", time.count());
}

Watchdog::Watchdog(TimePoint now) {
  const auto allowed = number_in_environment("WATCHDOG_USEC");
  const auto process = number_in_environment("WATCHDOG_PID");
  if (!allowed || *allowed <= 0 || (process && *process != getpid())) return;
  interval_ = std::chrono::microseconds(*allowed) / 2;
  next_ = now;
}

void Watchdog::tick(TimePoint now) {
  if (now < next_) return;
  notify_service_manager("WATCHDOG=1");
  next_ = now + interval_;
}

}  // namespace vipd::daemon
