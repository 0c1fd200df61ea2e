// Usage: what vipd and vipctl say of a command line that makes no sense: one line, and where to look. In
// terms of the library that reads command lines, CLI11, without knowing it: what it finds wrong is its
// business.
#pragma once

#include <string>
#include <vector>

namespace vipd {

struct Misuse {
  std::string kind;                  // "ArgumentMismatch", "RequiredError" ...
  std::string what;                  // in the library's words
  std::vector<std::string> unknown;  // arguments that nobody has taken
};

// program: "vipctl status", say. "there is no option \"--foo\"; vipctl status --help lists them".
std::string describe(const Misuse& misuse, const std::string& program);

}  // namespace vipd
