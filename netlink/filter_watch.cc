#include "netlink/filter_watch.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netlink/attribute.h"

namespace vipd::netlink {

namespace {
constexpr int most_filter_events_per_call = 1024;
}  // namespace

std::optional<std::uint32_t> touched_filter(const nlmsghdr& event, std::uint32_t priority,
                                            std::uint32_t handle, const std::set<std::string>& names) {
  if (mnl_nlmsg_get_payload_len(&event) < sizeof(tcmsg)) return std::nullopt;
  const auto& body = *static_cast<const tcmsg*>(mnl_nlmsg_get_payload(&event));
  const auto index = static_cast<std::uint32_t>(body.tcm_ifindex);
  switch (event.nlmsg_type) {
    case RTM_DELQDISC:
      // Deleting the qdisc of the filters deletes them all, without a message for each.
      return parse_filter_qdisc(event) ? std::optional(index) : std::nullopt;
    case RTM_DELTFILTER:
      // Handle 0: all filters of that priority.
      if (TC_H_MAJ(body.tcm_info) >> 16 != priority && TC_H_MAJ(body.tcm_info) != 0) return std::nullopt;
      return body.tcm_handle == handle || body.tcm_handle == 0 ? std::optional(index) : std::nullopt;
    case RTM_NEWTFILTER: {
      const auto filter = parse_filter(event);
      const bool in_our_place = filter && filter->priority == priority && filter->handle == handle;
      return in_our_place && !names.contains(filter->name) ? std::optional(index) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

Result<FilterWatch> FilterWatch::open(std::uint32_t priority, std::uint32_t handle,
                                      std::set<std::string> names) {
  auto events = TRY(Socket::open(NETLINK_ROUTE));
  TRY_VOID(events.join(RTNLGRP_TC));
  return FilterWatch(std::move(events), priority, handle, std::move(names));
}

Result<> FilterWatch::receive(const std::function<void(std::uint32_t)>& touched) {
  for (int count = 0; count < most_filter_events_per_call; ++count) {
    const auto datagram = events_.receive(at_once);
    if (datagram) {
      for_each_message(*datagram, [&](const nlmsghdr& event) {
        if (const auto index = touched_filter(event, priority_, handle_, names_)) touched(*index);
      });
      continue;
    }
    if (datagram.error().code == ETIMEDOUT) break;
    if (datagram.error().code != ENOBUFS && datagram.error().code != EMSGSIZE)
      return tl::unexpected(datagram.error());
    touched(0);
  }
  return {};
}

}  // namespace vipd::netlink
