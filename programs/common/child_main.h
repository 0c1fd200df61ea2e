// The start that vipd-router and vipd-monitor share: the guardian gives them their descriptors, and they
// cannot run without it.
#pragma once

#include <optional>
#include <string>

#include "io/channel.h"
#include "programs/common/log.h"

namespace vipd::programs {

struct ChildStart {
  io::Channel guardian;
  io::Fd second;  // the Hold, or the control socket
  Level level = Level::info;
  bool sandbox = true;
  std::string events_directory{};  // of the monitor: where it may write
};

// Nothing, after an error message, if no guardian started this program; with --version, exits.
std::optional<ChildStart> start_child(const char* name, int argc, char** argv);

}  // namespace vipd::programs
