#include "netlink/filter.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "netlink/attribute.h"
#include "netlink/batch.h"

namespace vipd::netlink {

namespace {

constexpr Duration dump_bound = std::chrono::seconds(2);

std::uint32_t parent_of(Hook hook) {
  return TC_H_MAKE(TC_H_CLSACT, hook == Hook::ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

tcmsg qdisc_message(std::uint32_t interface_index) {
  tcmsg message{};
  message.tcm_ifindex = static_cast<int>(interface_index);
  message.tcm_parent = TC_H_CLSACT;
  message.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
  return message;
}

tcmsg filter_message(const FilterPlace& place) {
  tcmsg message{};
  message.tcm_ifindex = static_cast<int>(place.interface_index);
  message.tcm_parent = parent_of(place.hook);
  message.tcm_handle = place.handle;
  message.tcm_info = TC_H_MAKE(place.priority << 16, htons(ETH_P_ALL));
  return message;
}

std::string where(const FilterPlace& place) {
  return std::string("the tc ") + (place.hook == Hook::ingress ? "ingress" : "egress") + " of interface " +
         std::to_string(place.interface_index);
}

Result<> one(Socket& socket, Request request, const std::string& doing) {
  auto result = std::move(transact(socket, {&request, 1}).front());
  if (!result) result.error().message = doing + result.error().message;
  return result;
}

const tcmsg* body_of(const nlmsghdr& message) {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(tcmsg)) return nullptr;
  return static_cast<const tcmsg*>(mnl_nlmsg_get_payload(&message));
}

}  // namespace

std::optional<std::pair<std::uint32_t, std::string>> parse_filter_qdisc(const nlmsghdr& message) {
  const auto* body = body_of(message);
  if (!body || body->tcm_parent != TC_H_CLSACT) return std::nullopt;
  std::optional<std::pair<std::uint32_t, std::string>> found;
  for_each_attribute(message, sizeof(tcmsg), [&](std::uint16_t type, std::span<const std::uint8_t> value) {
    if (type == TCA_KIND) found.emplace(static_cast<std::uint32_t>(body->tcm_ifindex), text_of(value));
  });
  return found;
}

std::optional<Filter> parse_filter(const nlmsghdr& message) {
  const auto* body = body_of(message);
  if (!body || message.nlmsg_type != RTM_NEWTFILTER) return std::nullopt;
  if (body->tcm_handle == 0) return std::nullopt;  // the entry of the priority itself
  Filter filter{TC_H_MAJ(body->tcm_info) >> 16, body->tcm_handle, {}, {}, 0};
  for_each_attribute(message, sizeof(tcmsg), [&](std::uint16_t type, std::span<const std::uint8_t> value) {
    if (type == TCA_KIND) filter.kind = text_of(value);
    if (type != TCA_OPTIONS || filter.kind != "bpf") return;
    for_each_attribute(value, [&](std::uint16_t inner, std::span<const std::uint8_t> inside) {
      if (inner == TCA_BPF_NAME) filter.name = text_of(inside);
      if (inner == TCA_BPF_ID) read_attribute(inside, filter.program);
    });
  });
  return filter;
}

Result<std::map<std::uint32_t, std::string>> filter_qdiscs(Socket& socket) {
  Request request(RTM_GETQDISC, 0);
  request.body(tcmsg{});
  request.doing = "listing the queueing disciplines";
  std::map<std::uint32_t, std::string> found;
  TRY_VOID(socket.dump(
      request, [&] { found.clear(); },
      [&](const nlmsghdr& message) {
        if (auto qdisc = parse_filter_qdisc(message))
          found.insert_or_assign(qdisc->first, std::move(qdisc->second));
      },
      dump_bound));
  return found;
}

Result<bool> add_clsact(Socket& socket, std::uint32_t interface_index) {
  Request request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
  request.body(qdisc_message(interface_index));
  request.put_text(TCA_KIND, "clsact");
  const auto made = one(socket, std::move(request),
                        "adding a clsact qdisc to interface " + std::to_string(interface_index));
  if (made) return true;
  if (made.error().code == EEXIST) return false;
  return tl::unexpected(made.error());
}

Result<> remove_clsact(Socket& socket, std::uint32_t interface_index) {
  Request request(RTM_DELQDISC, 0);
  request.body(qdisc_message(interface_index));
  request.put_text(TCA_KIND, "clsact");
  auto removed = one(socket, std::move(request),
                     "removing the clsact qdisc of interface " + std::to_string(interface_index));
  if (!removed && (removed.error().code == ENOENT || removed.error().code == ENODEV)) return {};
  return removed;
}

Result<std::vector<Filter>> filters(Socket& socket, std::uint32_t interface_index, Hook hook) {
  Request request(RTM_GETTFILTER, 0);
  tcmsg all{};
  all.tcm_ifindex = static_cast<int>(interface_index);
  all.tcm_parent = parent_of(hook);
  request.body(all);
  request.doing = "listing the filters at " + where({interface_index, hook, 0, 0});
  std::vector<Filter> found;
  TRY_VOID(socket.dump(
      request, [&] { found.clear(); },
      [&](const nlmsghdr& message) {
        if (auto filter = parse_filter(message)) found.push_back(std::move(*filter));
      },
      dump_bound));
  return found;
}

Result<> put_program(Socket& socket, const FilterPlace& place, int program, const std::string& name) {
  Request request(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_REPLACE);
  request.body(filter_message(place));
  request.put_text(TCA_KIND, "bpf");
  const auto options = request.begin(TCA_OPTIONS);
  request.put_u32(TCA_BPF_FD, static_cast<std::uint32_t>(program));
  request.put_text(TCA_BPF_NAME, name);
  request.put_u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
  request.end(options);
  return one(socket, std::move(request), "attaching " + name + " to " + where(place));
}

Result<> remove_filter(Socket& socket, const FilterPlace& place) {
  Request request(RTM_DELTFILTER, 0);
  request.body(filter_message(place));
  request.put_text(TCA_KIND, "bpf");
  auto removed = one(socket, std::move(request), "removing a filter from " + where(place));
  const auto code = removed ? 0 : removed.error().code;
  if (code == ENOENT || code == ENODEV || code == EINVAL)
    return {};  // EINVAL: the interface has no qdisc for filters
  return removed;
}

}  // namespace vipd::netlink
