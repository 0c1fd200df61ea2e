// What a reload would do: the running configuration against a file, and what follows from it for the virtual
// routers as they are now.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

constexpr int diff_ok = 0;      // whether anything would change or not
constexpr int diff_errors = 1;  // the file has errors: a reload would be refused

// file: empty for the one that vipd was started with. node: empty for the one that vipd is. Variables have
// the values of vipd's environment. An Error as ctl::Client has it; EINVAL: the file cannot be read.
Result<int> diff(const std::string& run_dir, const std::string& file, const std::string& node, bool json,
                 std::ostream& out, std::ostream& err);

// For a virtual router of a status and the priority that the file gives it: "IPv4 stays Active, unless ...".
std::string prospect(const nlohmann::json& router, int base_priority);

}  // namespace vipd::ctl
