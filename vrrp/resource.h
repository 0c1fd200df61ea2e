// Resource: what an Active holds in the kernel, and where it is placed. The list is closed, so that the compiler finds
// every place that a new kind concerns: what asks for it, what puts it into the kernel, what tells of it. Kinds that
// depend on others come after them, and are undone before them.
#pragma once

#include <string>
#include <variant>

#include "base/ip.h"
#include "base/time.h"

namespace vipd::vrrp {

struct VirtualAddress {
  std::string interface;
  Prefix prefix;
  Duration valid{};  // valid_lft, when it is put or renewed; zero: for ever
};

using Resource = std::variant<VirtualAddress>;

// An order in which two resources are the same if the kernel has at most one of them, whatever their settings.
struct ByIdentity {
  bool operator()(const Resource& a, const Resource& b) const;
};

std::string to_string(const Resource& resource);  // "192.0.2.10/24"

}  // namespace vipd::vrrp
