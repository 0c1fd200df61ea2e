// The notifications of a service of Type=notify to systemd (sd_notify(3), sd_listen_fds(3)): datagrams to the
// socket named in the environment. Does nothing without systemd.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "io/fd.h"

namespace vipd::programs {

// "READY=1", "STOPPING=1", "STATUS=...": lines.
void notify_service_manager(std::string_view state);

// Gives it a descriptor to keep in case this service dies and is restarted (FileDescriptorStoreMax=) ...
void store_descriptor(std::string_view name, int fd);
// ... and takes the kept descriptor, once; an empty Fd: there is none.
io::Fd take_stored_descriptor(std::string_view name);

// The notification before a reload; "READY=1" afterwards.
std::string reloading(TimePoint now);

// systemd kills a service with WatchdogSec= that gives no sign of life for that time: its loop calls tick().
class Watchdog {
 public:
  explicit Watchdog(TimePoint now);  // reads the time from the environment
  void tick(TimePoint now);
  TimePoint deadline() const { return next_; }  // when to call tick(); never: no watchdog

 private:
  Duration interval_{};  // half of the watchdog's time
  TimePoint next_ = never;
};

}  // namespace vipd::programs
