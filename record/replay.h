// Replay: runs a recording through an engine, and says what it did and why: each change of state with the
// explanation that `vipctl explain` would have given at that moment, between the facts that led to it.
#pragma once

#include <string>
#include <vector>

#include "record/recording.h"

namespace vipd::record {

// Something that happened.
struct Happening {
  Duration when{};  // since the recording begins
  std::string who;  // the virtual router; empty for what it was told
  std::string text;
};

std::vector<Happening> replay(const Recording& recording);

// A line each: "   3.023 edge/IPv4 Backup -> Active: no Active has been heard".
std::string to_text(const std::vector<Happening>& happenings);

}  // namespace vipd::record
