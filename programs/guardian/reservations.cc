#include "programs/guardian/reservations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "io/open_files.h"

namespace vipd::programs {

namespace {
constexpr const char* lease_name = "vipd/lease";
// For all other descriptors of the guardian.
constexpr rlim_t other_descriptors = 512;

// "vipd/51/IPv4/eth0"
std::string name_of(const vrrp::RouterKey& router) {
  return fmt::format("vipd/{}/{}/{}", router.vrid, to_string(router.family), router.interface);
}

// "vipd/192.0.2.10/eth0"
std::string name_of(const IpAddress& address, const std::string& interface) {
  return fmt::format("vipd/{}/{}", to_string(address), interface);
}

// The names that a virtual router claims, each with a description of what another vipd serves if it is taken.
std::vector<std::pair<std::string, std::string>> claims_of(const vrrp::VirtualRouterConfig& router) {
  std::vector<std::pair<std::string, std::string>> all{
      {name_of(router.key), fmt::format("{}: {} is served", router.name, to_string(router.key))}};
  for (const auto& prefix : router.addresses)
    all.emplace_back(
        name_of(prefix.address, router.place(prefix)),
        fmt::format("{}: {} on {} is served", router.name, to_string(prefix.address), router.place(prefix)));
  return all;
}

// An abstract name begins with a zero byte, and ends with the address.
socklen_t size_of(const std::string& name) {
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

Result<io::Fd> bind_to(const std::string& name) {
  sockaddr_un address{};
  if (name.size() + 1 > sizeof address.sun_path) return failure("claiming " + name, ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  io::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd || bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size_of(name)) != 0)
    return system_failure("claiming " + name);
  return fd;
}

std::optional<std::string> name_of(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      size <= offsetof(sockaddr_un, sun_path) + 1 || address.sun_family != AF_UNIX)
    return std::nullopt;
  return std::string(address.sun_path + 1, size - offsetof(sockaddr_un, sun_path) - 1);
}

// "Num: RefCount Protocol Flags Type St Inode Path", and an abstract name begins with "@".
std::string inode_of(const std::string& name) {
  std::ifstream sockets("/proc/net/unix");
  for (std::string line; std::getline(sockets, line);) {
    if (!line.ends_with(" @" + name)) continue;
    std::istringstream words(line);
    std::string word;
    for (int i = 0; i < 7; ++i) words >> word;
    return word;
  }
  return {};
}

struct NameHolder {
  pid_t process = 0;
  uid_t user = 0;
};

// None if the process is not visible from here: it may be in another PID namespace.
std::optional<NameHolder> holder_of(const std::string& name) {
  for (const auto process : io::users_of("socket:[" + inode_of(name) + "]")) {
    struct stat status{};
    if (stat(fmt::format("/proc/{}", process).c_str(), &status) == 0)
      return NameHolder{process, status.st_uid};
  }
  return std::nullopt;
}

// Why a name is not free. Any process may bind such names: one of a user that cannot run vipd does not keep
// us from serving.
tl::unexpected<Error> taken(const std::string& name, const std::string& what, const std::string& remedy) {
  const auto holder = holder_of(name);
  if (holder && holder->user != 0 && holder->user != geteuid())
    return failure(
        fmt::format(
            "process {} of user {}, which is not vipd, has the name \"@{}\": this vipd could not detect "
            "another one that serves the same",
            holder->process, holder->user, name),
        EPERM);
  return failure(fmt::format("{} by another vipd in this network namespace ({}): {}", what,
                             holder ? fmt::format("process {}", holder->process)
                                    : "a process that is not visible from here",
                             remedy),
                 EADDRINUSE);
}

// No higher than needed, because children inherit it.
void make_room(std::size_t claims) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= claims + other_descriptors) return;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, claims + other_descriptors);
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}
}  // namespace

Result<> Reservations::take(const std::vector<vrrp::VirtualRouterConfig>& routers) {
  std::vector<std::pair<std::string, std::string>> wanted;
  for (const auto& router : routers)
    for (auto& claim : claims_of(router))
      if (!held_.contains(claim.first)) wanted.push_back(std::move(claim));
  make_room(held_.size() + wanted.size());
  std::map<std::string, io::Fd> more;
  Result<> done;
  for (const auto& [name, what] : wanted) {
    auto fd = bind_to(name);
    if (fd) {
      more.emplace(name, std::move(*fd));
      continue;
    }
    if (fd.error().code != EADDRINUSE) {
      done = tl::unexpected(std::move(fd).error());
      continue;
    }
    auto why = taken(name, what,
                     "stop that one first, or remove the virtual router from one of the two configurations");
    if (why.value().code == EADDRINUSE) return why;
    done = std::move(why);
  }
  held_.merge(std::move(more));
  return done;
}

void Reservations::keep_only(const std::vector<vrrp::VirtualRouterConfig>& routers) {
  std::set<std::string> names{lease_name};
  for (const auto& router : routers)
    for (auto& claim : claims_of(router)) names.insert(std::move(claim.first));
  std::erase_if(held_, [&](const auto& each) { return !names.contains(each.first); });
}

bool Reservations::is_claimed(const IpAddress& address, const std::string& interface) {
  return !bind_to(name_of(address, interface));
}

Result<> Reservations::take_lease() {
  if (held_.contains(lease_name)) return {};
  auto fd = bind_to(lease_name);
  if (!fd && fd.error().code == EADDRINUSE)
    return taken(lease_name, "the leases of all interfaces are managed",
                 "stop that one first, or serve everything with one vipd");
  held_.emplace(lease_name, TRY(std::move(fd)));
  return {};
}

void Reservations::give_lease_back() {
  held_.erase(lease_name);
}

std::vector<int> Reservations::descriptors() const {
  std::vector<int> all;
  for (const auto& [name, fd] : held_) all.push_back(fd.get());
  return all;
}

void Reservations::adopt(io::Fd descriptor) {
  if (auto name = name_of(descriptor.get())) held_.emplace(std::move(*name), std::move(descriptor));
}

}  // namespace vipd::programs
