// Usage: the messages of vipd and vipctl about a wrong command line: one line that names the error and the
// help to read. Misuse carries the errors of the parser, CLI11; this file does not depend on it.
#pragma once

#include <string>
#include <vector>

namespace vipd {

struct Misuse {
  std::string kind;                  // "ArgumentMismatch", "RequiredError" ...
  std::string what;                  // the message of the library
  std::vector<std::string> unknown;  // arguments that no option accepts
};

// With program "vipctl status": "there is no option \"--foo\"; vipctl status --help lists them".
std::string describe(const Misuse& misuse, const std::string& program);

}  // namespace vipd
