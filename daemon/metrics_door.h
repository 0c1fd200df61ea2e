// MetricsDoor: the socket at which metrics are served. The guardian opens it, because it may, and keeps it
// for the next monitor, which serves it. Where it cannot be opened, because the port is taken for instance,
// all else goes on, and it tries again.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "daemon/link.h"
#include "daemon/log.h"
#include "io/fd.h"

namespace vipd::daemon {

// where: an address and a port, or the path of a Unix socket, as in vipd.yaml. A socket that is left over
// there is replaced.
Result<io::Fd> listen_for_metrics(const std::string& where);

class MetricsDoor {
 public:
  MetricsDoor(Log& log, Link& monitor) : log_(log), monitor_(monitor) {}
  MetricsDoor(const MetricsDoor&) = delete;
  MetricsDoor& operator=(const MetricsDoor&) = delete;
  ~MetricsDoor() { close(); }

  // where: empty for nowhere.
  void configure(const std::string& where, TimePoint now);
  void monitor_attached();
  void tick(TimePoint now);
  TimePoint deadline() const { return again_; }

 private:
  void open(TimePoint now);
  void close();

  Log& log_;
  Link& monitor_;
  std::string where_;
  io::Fd socket_;
  std::string tried_;  // why it could not be had the last time
  std::string told_;   // why not
  TimePoint again_ = never;
};

}  // namespace vipd::daemon
