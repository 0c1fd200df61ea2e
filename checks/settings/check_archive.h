// A CheckConfig as bytes: the guardian reads the configuration and sends the checks to the monitor. Places in
// the file are not included.
#pragma once

#include "base/archive.h"
#include "checks/settings/check.h"

namespace vipd {

constexpr bool known(Node::Type type) {
  return type <= Node::Type::map;
}
template <class A>
constexpr void fields(A& a, Is<Node::Entry> auto& entry) {
  a("key", entry.key)("value", entry.value);
}
template <class A>
constexpr void fields(A& a, Is<Node> auto& node) {
  a("type", node.type)("scalar", node.scalar)("quoted", node.quoted)("items", node.items)("entries",
                                                                                          node.entries);
}

namespace checks {

template <class A>
constexpr void fields(A& a, Is<OnFailure> auto& on_failure) {
  a("priority", on_failure.priority)("initialize", on_failure.initialize);
}
template <class A>
constexpr void fields(A& a, Is<CheckConfig> auto& check) {
  a("name", check.name)("kind", check.kind)("interval", check.interval)("timeout", check.timeout)(
      "fall", check.fall)("rise", check.rise)("stale_after", check.stale_after)(
      "on_failure", check.on_failure)("settings", check.settings);
}

}  // namespace checks
}  // namespace vipd
