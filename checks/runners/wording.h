// How the kinds say things in a Verdict's detail.
#pragma once

#include <string>

#include "base/time.h"

namespace vipd::checks {

// "0.42 ms", "3.1 ms", "812 ms", "1.5 s": rounded up, so that what is slower than a bound also reads so.
std::string in_words(Duration duration);

// Does this errno say that this node has run out of something, and nothing about the service?
bool is_exhaustion(int code);

}  // namespace vipd::checks
