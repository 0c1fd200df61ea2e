// Filters: programs at the tc ingress and egress of an interface, as shown by `tc filter show`. Lists
// filters, and adds and removes vipd's own; filters of other programs are never changed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "netlink/socket.h"

namespace vipd::netlink {

enum class Hook { ingress, egress };

struct Filter {
  std::uint32_t priority = 0;  // lower ones come first
  std::uint32_t handle = 0;
  std::string kind;           // "bpf", "u32", ...
  std::string name;           // of a program
  std::uint32_t program = 0;  // its number in the kernel
};

// The place of a filter among those of its hook.
struct FilterPlace {
  std::uint32_t interface_index = 0;
  Hook hook{};
  std::uint32_t priority = 0;
  std::uint32_t handle = 0;
};

// The qdisc of each interface to which filters are attached: "clsact" has both hooks, "ingress" only one.
Result<std::map<std::uint32_t, std::string>> filter_qdiscs(Socket& socket);
// false: the interface already has such a qdisc.
Result<bool> add_clsact(Socket& socket, std::uint32_t interface_index);
// Also removes the filters of other programs. Success if there is no such qdisc.
Result<> remove_clsact(Socket& socket, std::uint32_t interface_index);

// Parses a message from the kernel: the interface and kind of a qdisc as above; a filter.
std::optional<std::pair<std::uint32_t, std::string>> parse_filter_qdisc(const nlmsghdr& message);
std::optional<Filter> parse_filter(const nlmsghdr& message);

Result<std::vector<Filter>> filters(Socket& socket, std::uint32_t interface_index, Hook hook);
// Replaces the filter at that place, if any, without a moment in which packets see neither.
Result<> put_program(Socket& socket, const FilterPlace& place, int program, const std::string& name);
// Success if there is none.
Result<> remove_filter(Socket& socket, const FilterPlace& place);

}  // namespace vipd::netlink
