// Replay: runs a recording through an engine and prints what it does and why: each change of state with the
// explanation that `vipctl explain` would have given at that moment, between the inputs that led to it.
#pragma once

#include <string>
#include <vector>

#include "record/recording.h"

namespace vipd::record {

// One occurrence: an input, or actions of a virtual router.
struct Happening {
  Duration when{};  // since the recording begins
  std::string who;  // the virtual router; empty for an input
  std::string text;
};

std::vector<Happening> replay(const Recording& recording);

// One line each: "   3.023 edge/IPv4 Backup -> Active: no Active has been heard".
std::string to_text(const std::vector<Happening>& happenings);

}  // namespace vipd::record
