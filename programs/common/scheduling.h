// Keeps a program on time on a busy machine: real-time priority, and memory that is not swapped out.
#pragma once

#include "programs/common/log.h"

namespace vipd::programs {

// A refusal is not an error: a warning names the missing permission. Programs started later do not inherit
// the priority.
void ask_for_priority(Log& log);

}  // namespace vipd::programs
