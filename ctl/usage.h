// Usage: turns an error that CLI11 found in vipctl's command line into one line: what is wrong, what was
// probably meant, and where to look.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace vipd::ctl {

// "there is no option \"--jsno\": did you mean \"--json\"? vipctl status --help lists them".
std::string usage_error(CLI::App& app, const CLI::ParseError& error);

}  // namespace vipd::ctl
