// What lets a program keep its time on a busy machine: real-time priority and memory that is not swapped out.
#pragma once

#include "programs/common/log.h"

namespace vipd::programs {

// A refusal is no failure: a warning says what would give the right. Programs started later do not inherit
// it.
void ask_for_priority(Log& log);

}  // namespace vipd::programs
