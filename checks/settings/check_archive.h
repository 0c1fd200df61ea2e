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
void fields(A& a, Is<Node::Entry> auto& entry) {
  a(entry.key, entry.value);
}
template <class A>
void fields(A& a, Is<Node> auto& node) {
  a(node.type, node.scalar, node.quoted, node.items, node.entries);
}

namespace checks {

template <class A>
void fields(A& a, Is<OnFailure> auto& on_failure) {
  a(on_failure.priority, on_failure.initialize);
}
template <class A>
void fields(A& a, Is<CheckConfig> auto& check) {
  a(check.name, check.kind, check.interval, check.timeout, check.fall, check.rise, check.stale_after,
    check.on_failure, check.settings);
}

}  // namespace checks
}  // namespace vipd
