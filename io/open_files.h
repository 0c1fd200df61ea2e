// Which processes have a file or a socket open: read from /proc. Root sees every process of its PID
// namespace, other users only their own.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vipd::io {

// The processes with a descriptor whose link in /proc/PID/fd reads `target`: an absolute path without links
// in it, or "socket:[INODE]". Processes that end or close it meanwhile may be missing.
std::vector<pid_t> users_of(const std::string& target);

}  // namespace vipd::io
