// Turn: all that a rule may know and do during one step: the time, the current interface, and the list that
// collects actions. Passed down by reference, never kept.
#pragma once

#include <utility>

#include "base/time.h"
#include "vrrp/action.h"
#include "vrrp/interface_view.h"

namespace vipd::vrrp {

struct Turn {
  TimePoint now;
  const InterfaceView& view;
  Actions& actions;

  const Interface& interface() const { return view.interface(); }
  void act(Action action) const { actions.push_back(std::move(action)); }
};

}  // namespace vipd::vrrp
