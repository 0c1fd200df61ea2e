// Metrics: all of vipd's measurements, in the formats of Prometheus and OpenMetrics. vipd-metrics(7) explains
// each one; tests/docs_test.cc compares the two.
//
// Names have base units. Where RFC 6527 (the MIB of VRRPv3) has a name, the metric's name is derived from it,
// so that an operator can map them one to one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checks/schedule.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/monitor_router_messages.h"
#include "programs/monitor/exposition.h"

namespace vipd::programs {

// The sources of all metrics.
struct Measured {
  const StatusReply* router = nullptr;  // nullptr: the router program has not answered
  std::vector<checks::CheckStatus> checks;
  const Programs& programs;
  const std::map<std::string, std::uint64_t>& events;  // by name, since the monitor program was started
  TimePoint now{};
};

std::string metrics_text(const Measured& measured, Format format);

}  // namespace vipd::programs
