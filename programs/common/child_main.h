// What vipd-router and vipd-monitor have in common when they start: they are given their descriptors by the
// guardian, and make no sense without it.
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

// Nothing, after saying why on standard error, if this was not started by a guardian; with --version, ends.
std::optional<ChildStart> start_child(const char* name, int argc, char** argv);

}  // namespace vipd::programs
