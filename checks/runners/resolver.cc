#include "checks/runners/resolver.h"

#include <ares.h>
#include <netinet/in.h>

#include <algorithm>
#include <span>
#include <unordered_map>

namespace vipd::checks {

namespace {

constexpr int first_wait_ms = 500;
constexpr int rounds = 4;

std::vector<IpAddress> addresses_of(const ares_addrinfo& info) {
  std::vector<IpAddress> addresses;
  for (const auto* node = info.nodes; node; node = node->ai_next) {
    const void* octets = nullptr;
    std::size_t size = 0;
    if (node->ai_family == AF_INET) {
      octets = &reinterpret_cast<const sockaddr_in*>(node->ai_addr)->sin_addr;
      size = 4;
    } else if (node->ai_family == AF_INET6) {
      octets = &reinterpret_cast<const sockaddr_in6*>(node->ai_addr)->sin6_addr;
      size = 16;
    } else {
      continue;
    }
    addresses.push_back(IpAddress::from_bytes({static_cast<const std::uint8_t*>(octets), size}));
  }
  return addresses;
}

}  // namespace

class Resolver::AresLookup : public Resolver::Lookup {
 public:
  AresLookup(Resolver& resolver, std::string name, Done done)
      : resolver_(resolver), name_(std::move(name)), done_(std::move(done)) {}

  ~AresLookup() override {
    done_ = nullptr;
    resolver_.lookups_.erase(this);
    if (channel_) ares_destroy(channel_);  // calls answered() for what is under way
  }

  void start() {
    ares_options options{};
    options.timeout = first_wait_ms;
    options.tries = rounds;
    options.sock_state_cb = socket_changed;
    options.sock_state_cb_data = this;
    const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (const int status = ares_init_options(&channel_, &options, mask); status != ARES_SUCCESS) {
      channel_ = nullptr;
      finish(failure("resolving " + name_ + ": " + ares_strerror(status)));
      return;
    }
    resolver_.lookups_.insert(this);
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel_, name_.c_str(), nullptr, &hints, answered, this);
    set_deadline();
  }

  TimePoint deadline() const { return deadline_; }

  void process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel_, readable, writable);
    set_deadline();
  }

 private:
  static void socket_changed(void* self, ares_socket_t socket, int readable, int writable) {
    auto& lookup = *static_cast<AresLookup*>(self);
    if (!readable && !writable) {
      lookup.watches_.erase(socket);
      return;
    }
    const std::uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
    auto& watch = lookup.watches_[socket];
    if (watch) {
      watch.set_events(events);
      return;
    }
    watch = lookup.resolver_.loop_.watch(socket, events, [&lookup, socket](std::uint32_t ready) {
      const bool failed = (ready & (EPOLLERR | EPOLLHUP)) != 0;
      lookup.process(failed || (ready & EPOLLIN) ? socket : ARES_SOCKET_BAD,
                     ready & EPOLLOUT ? socket : ARES_SOCKET_BAD);
    });
  }

  static void answered(void* self, int status, int, ares_addrinfo* info) {
    auto& lookup = *static_cast<AresLookup*>(self);
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(info, ares_freeaddrinfo);
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    auto addresses = status == ARES_SUCCESS && info ? addresses_of(*info) : std::vector<IpAddress>{};
    if (status != ARES_SUCCESS && status != ARES_ENODATA)
      lookup.finish(failure("resolving " + lookup.name_ + ": " + ares_strerror(status)));
    else if (addresses.empty())
      lookup.finish(failure("resolving " + lookup.name_ + ": it has no address"));
    else
      lookup.finish(std::move(addresses));
  }

  void finish(Result<std::vector<IpAddress>> result) {
    resolver_.lookups_.erase(this);
    deadline_ = never;
    if (const auto done = std::exchange(done_, nullptr)) done(std::move(result));
  }

  void set_deadline() {
    timeval wait{};
    if (!done_ || !ares_timeout(channel_, nullptr, &wait)) {
      deadline_ = never;
      return;
    }
    deadline_ =
        resolver_.clock_() + std::chrono::seconds(wait.tv_sec) + std::chrono::microseconds(wait.tv_usec);
  }

  Resolver& resolver_;
  std::string name_;
  Done done_;
  ares_channel channel_ = nullptr;
  std::unordered_map<ares_socket_t, io::Watch> watches_;
  TimePoint deadline_ = never;
};

Resolver::Resolver(io::Loop& loop, std::function<TimePoint()> clock) : loop_(loop), clock_(std::move(clock)) {
  ares_library_init(ARES_LIB_INIT_ALL);
}

std::unique_ptr<Resolver::Lookup> Resolver::resolve(const std::string& name, Done done) {
  auto lookup = std::make_unique<AresLookup>(*this, name, std::move(done));
  lookup->start();
  return lookup;
}

void Resolver::step(TimePoint now) {
  const auto lookups = lookups_;  // one that finishes leaves the set
  for (auto* lookup : lookups)
    if (lookups_.contains(lookup) && lookup->deadline() <= now)
      lookup->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

TimePoint Resolver::next_deadline() const {
  TimePoint earliest = never;
  for (const auto* lookup : lookups_) earliest = std::min(earliest, lookup->deadline());
  return earliest;
}

}  // namespace vipd::checks
