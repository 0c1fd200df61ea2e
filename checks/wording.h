// How the kinds phrase the detail of a Verdict.
#pragma once

#include <string>

#include "base/time.h"

namespace vipd::checks {

// "0.42 ms", "3.1 ms", "812 ms", "1.5 s": rounded up, so that a value above a bound is also printed above it.
std::string in_words(Duration duration);

// Whether this errno means that this node has run out of a resource, which proves nothing about the service.
bool is_exhaustion(int code);

}  // namespace vipd::checks
