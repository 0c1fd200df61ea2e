// SwitchReply: the answer to `vipctl switch`, by the state of the virtual routers on this node: whether they
// may hand over, or take part again, and what the engine then gets.
#pragma once

#include <optional>
#include <string>

#include "programs/common/monitor_router_messages.h"
#include "vrrp/input.h"
#include "vrrp/status.h"

namespace vipd::programs {

struct SwitchReply {
  std::string text;
  std::optional<vrrp::Input> input;  // nothing: the command is refused
};

SwitchReply reply_to(const Command& command, const vrrp::Status& status);

}  // namespace vipd::programs
