// Usage: what vipctl says of a command line that makes no sense: one line, and where to look. Of CLI11's
// errors; what it finds wrong is its business.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace vipd::ctl {

// "there is no option \"--foo\"; vipctl status --help lists them".
std::string usage_error(CLI::App& app, const CLI::ParseError& error);

}  // namespace vipd::ctl
