#include "programs/guardian/service_manager.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace vipd::programs {

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

// fd: sent with it, unless it is -1.
void send_to_service_manager(std::string_view state, int fd) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (!path || std::strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));      // the rest is zero
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const io::Fd socket_fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_fd) return;
  iovec text{const_cast<char*>(state.data()), state.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  sendmsg(socket_fd.get(), &message, MSG_NOSIGNAL);
}
}  // namespace

void notify_service_manager(std::string_view state) {
  send_to_service_manager(state, -1);
}

void store_descriptor(std::string_view name, int fd) {
  send_to_service_manager(fmt::format("FDSTORE=1\nFDNAME={}", name), fd);
}

io::Fd take_stored_descriptor(std::string_view name) {
  constexpr int first = 3;
  const auto count = number_in_environment("LISTEN_FDS");
  const char* names = std::getenv("LISTEN_FDNAMES");
  io::Fd found;
  if (names && count && number_in_environment("LISTEN_PID") == getpid()) {
    std::string_view rest = names;
    for (int fd = first; fd < first + *count; ++fd) {
      const auto end = rest.find(':');
      io::Fd each(fd);  // closes unwanted ones
      if (rest.substr(0, end) == name && !found && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        found = std::move(each);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
  }
  unsetenv("LISTEN_FDS");  // hides it from our children
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDNAMES");
  return found;
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

}  // namespace vipd::programs
