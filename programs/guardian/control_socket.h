// The listening end of the control socket. The guardian makes it, so that it stays while the monitor, which
// serves it, is replaced: meanwhile clients wait.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::programs {

constexpr const char* asking_group = "vipd";            // its members may open the socket, to ask
constexpr const char* commanding_group = "vipd-admin";  // members that are also in this group may command

std::optional<std::uint32_t> group_number(const char* name);

// Replaces a leftover at `path`; no other vipd uses the run directory (programs/guardian/run_directory).
Result<io::Fd> listen_for_control(const std::string& path);

}  // namespace vipd::programs
