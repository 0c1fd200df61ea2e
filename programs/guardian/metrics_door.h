// MetricsDoor: the socket for metrics. The guardian has the rights to open it, and keeps it for the next
// monitor, which serves it. If it cannot be opened, because the port is in use for instance, everything else
// continues, and the guardian retries.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "io/fd.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/link.h"
#include "programs/common/log.h"

namespace vipd::programs {

// where: an address and a port, or the path of a Unix socket, as in vipd.yaml. Replaces a leftover socket at
// the path.
Result<io::Fd> listen_for_metrics(const std::string& where);

class MetricsDoor {
 public:
  MetricsDoor(Log& log, Link<GuardianToMonitor, MonitorToGuardian>& monitor) : log_(log), monitor_(monitor) {}
  MetricsDoor(const MetricsDoor&) = delete;
  MetricsDoor& operator=(const MetricsDoor&) = delete;
  ~MetricsDoor() { close(); }

  // where: empty: serve no metrics.
  void configure(const std::string& where, TimePoint now);
  void monitor_attached();
  void tick(TimePoint now);
  TimePoint deadline() const { return again_; }

 private:
  void open(TimePoint now);
  void close();

  Log& log_;
  Link<GuardianToMonitor, MonitorToGuardian>& monitor_;
  std::string where_;
  io::Fd socket_;
  std::string tried_;  // the last failure to open it
  std::string told_;   // the last reported failure
  TimePoint again_ = never;
};

}  // namespace vipd::programs
