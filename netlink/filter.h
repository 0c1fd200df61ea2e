// Filters: programs at the tc ingress and egress of an interface, as `tc filter show` has them. Says what is
// there, puts one of ours in place and takes it away; other people's are never touched.
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

// Where a filter is, among those of its hook.
struct FilterPlace {
  std::uint32_t interface_index = 0;
  Hook hook{};
  std::uint32_t priority = 0;
  std::uint32_t handle = 0;
};

// By interface, the qdisc that filters hang on: "clsact" has both hooks, "ingress" only the one.
Result<std::map<std::uint32_t, std::string>> filter_qdiscs(Socket& socket);
// false: one of them is there already.
Result<bool> add_clsact(Socket& socket, std::uint32_t interface_index);
// Takes everybody's filters along. Success if it is not there.
Result<> remove_clsact(Socket& socket, std::uint32_t interface_index);

// What a message of the kernel's says: the interface and the kind of a qdisc as above; a filter.
std::optional<std::pair<std::uint32_t, std::string>> parse_filter_qdisc(const nlmsghdr& message);
std::optional<Filter> parse_filter(const nlmsghdr& message);

Result<std::vector<Filter>> filters(Socket& socket, std::uint32_t interface_index, Hook hook);
// In place of the one that is there, if any, without a packet in between that sees neither.
Result<> put_program(Socket& socket, const FilterPlace& place, int program, const std::string& name);
// Success if it is not there.
Result<> remove_filter(Socket& socket, const FilterPlace& place);

}  // namespace vipd::netlink
