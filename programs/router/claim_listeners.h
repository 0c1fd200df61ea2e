// ClaimListeners: hear other hosts claim our virtual addresses, and report it to the engine. Everything else
// works without them, so an error is only logged.
#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "io/claim_socket.h"
#include "io/loop.h"
#include "programs/common/log.h"
#include "programs/router/packet_sockets.h"
#include "programs/router/port.h"

namespace vipd::programs {

class ClaimListeners {
 public:
  // report: takes vrrp::AddressClaimed.
  ClaimListeners(io::Loop& loop, Log& log, ReportFact report, DiscardSocket discard)
      : loop_(loop), log_(log), report_(std::move(report)), discard_(std::move(discard)) {}

  // Opens, reopens and closes sockets to match.
  void set_ports(const Ports& ports);
  // Listens again where a pause is over.
  void expire(TimePoint now);

 private:
  struct Listener {
    io::ClaimSocket socket;
    io::Watch watch;
    TimePoint deaf_until = never;  // a flood of claims must not cost more than a few
  };

  void listen(const PortKey& key, std::uint32_t index, const std::set<IpAddress>& addresses);
  void hear(const PortKey& key);

  io::Loop& loop_;
  Log& log_;
  ReportFact report_;
  DiscardSocket discard_;
  std::map<PortKey, Listener> listeners_;
  TimePoint expiry_ = never;  // of the first pause
};

}  // namespace vipd::programs
