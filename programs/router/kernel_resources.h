// KernelResources: changes in the kernel what Actives hold there, today addresses. It knows how and on which
// interface; the engine decides what, and WorkQueue in which order. A failure becomes a fact for the engine.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "netlink/batch.h"
#include "netlink/socket.h"
#include "programs/router/packet_sockets.h"
#include "programs/router/port.h"
#include "programs/router/work_queue.h"

namespace vipd::programs {

class KernelResources {
 public:
  // As many as one netlink datagram takes.
  static constexpr std::size_t slice_size = netlink::batch_size;

  // netlink: of NETLINK_ROUTE; report: takes vrrp::AddressFailed.
  KernelResources(netlink::Socket netlink, ReportFact report)
      : netlink_(std::move(netlink)), report_(std::move(report)) {}

  void set_ports(const Ports& ports);

  // Makes as many of these changes as a turn of the loop has time for, in their order, at least one. Returns
  // how many the kernel has processed, successfully or not.
  std::size_t apply(const std::vector<ResourceChange>& changes);

 private:
  netlink::Socket netlink_;
  ReportFact report_;
  Ports ports_;
};

}  // namespace vipd::programs
