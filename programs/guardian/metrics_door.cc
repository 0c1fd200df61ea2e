#include "programs/guardian/metrics_door.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "conf/address_rules.h"
#include "programs/guardian/control_socket.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr Duration retry = 2s;
constexpr int backlog = 16;

tl::unexpected<Error> cannot(const std::string& where, int code) {
  return failure(fmt::format("cannot serve metrics at {}: {}", where, std::strerror(code)), code);
}

Result<io::Fd> listen_at_path(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return cannot(path, ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  io::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  struct stat there{};
  if (lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) unlink(path.c_str());
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0660) != 0 || listen(fd.get(), backlog) != 0)
    return cannot(path, errno);
  if (const auto readers = group_number(asking_group))
    (void)!chown(path.c_str(), static_cast<uid_t>(-1), *readers);
  return fd;
}

Result<io::Fd> listen_at_address(const conf::Listener& listener) {
  const auto octets = listener.address.bytes();
  const bool v4 = listener.address.family == Family::ipv4;
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (v4) {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(listener.port);
    std::memcpy(&address.sin_addr, octets.data(), octets.size());
    size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(listener.port);
    std::memcpy(&address.sin6_addr, octets.data(), octets.size());
    size = sizeof address;
  }
  io::Fd fd(socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  if (!fd || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 ||
      listen(fd.get(), backlog) != 0)
    return cannot(to_string(listener), errno);
  return fd;
}

}  // namespace

Result<io::Fd> listen_for_metrics(const std::string& where) {
  if (where.starts_with('/')) return listen_at_path(where);
  return listen_at_address(TRY(conf::parse_listener(where)));
}

void MetricsDoor::configure(const std::string& where, TimePoint now) {
  if (where == where_) return;
  close();
  where_ = where;
  again_ = never;
  told_.clear();
  tried_.clear();
  monitor_.send(MetricsSocket{});
  if (!where_.empty()) open(now);
}

// The file of a Unix socket must be removed.
void MetricsDoor::close() {
  if (socket_ && where_.starts_with('/')) unlink(where_.c_str());
  socket_.reset();
}

void MetricsDoor::open(TimePoint now) {
  auto opened = listen_for_metrics(where_);
  again_ = opened ? never : now + retry;
  if (opened) {
    socket_ = std::move(*opened);
    if (!std::exchange(told_, {}).empty()) log_.notice("serving metrics at " + where_);
    return monitor_attached();
  }
  // A predecessor may be about to close it.
  const bool goes_on = std::exchange(tried_, opened.error().message) == opened.error().message;
  if (goes_on && std::exchange(told_, tried_) != tried_)
    log_.warning(opened.error().message + ": set metrics, listen in vipd.yaml; everything else continues");
}

void MetricsDoor::monitor_attached() {
  if (!socket_) return;
  const int number = socket_.get();
  monitor_.send(MetricsSocket{}, number);
}

void MetricsDoor::tick(TimePoint now) {
  if (again_ <= now) open(now);
}

}  // namespace vipd::programs
