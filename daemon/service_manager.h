// What systemd wants to hear from a service of Type=notify (sd_notify(3), sd_listen_fds(3)): a datagram to
// the socket that it names in the environment. Does nothing where there is no systemd.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "io/fd.h"

namespace vipd::daemon {

// "READY=1", "STOPPING=1", "STATUS=...": lines.
void notify_service_manager(std::string_view state);

// Gives it a descriptor to keep, should this service die and be started anew (FileDescriptorStoreMax=) ...
void store_descriptor(std::string_view name, int fd);
// ... and asks for what it has kept, once; nothing was kept: an empty Fd.
io::Fd take_stored_descriptor(std::string_view name);

// What to say before a reload; "READY=1" afterwards.
std::string reloading(TimePoint now);

// A service with WatchdogSec= is killed unless it gives a sign of life within that time: its loop ticks this.
class Watchdog {
 public:
  explicit Watchdog(TimePoint now);  // what is allowed stands in the environment
  void tick(TimePoint now);
  TimePoint deadline() const { return next_; }  // when to tick; never: nobody watches

 private:
  Duration interval_{};  // half of what is allowed
  TimePoint next_ = never;
};

}  // namespace vipd::daemon
