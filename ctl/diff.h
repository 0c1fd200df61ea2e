// `vipctl diff`: compares the running configuration with a file, and shows what a reload would mean for the
// virtual routers in their current states.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

constexpr int diff_ok = 0;      // with or without changes
constexpr int diff_errors = 1;  // the file has errors: vipd would refuse a reload

// file: empty for the one that vipd was started with. node: empty for that of the running vipd. Variables
// have the values of vipd's environment. An Error as from ctl::Client; EINVAL: the file cannot be read.
Result<int> diff(const std::string& run_dir, const std::string& file, const std::string& node, bool json,
                 std::ostream& out, std::ostream& err);

// router: an element of a status; base_priority: its new one. "IPv4 stays Backup with priority 90: ...".
std::string prospect(const nlohmann::json& router, int base_priority);

}  // namespace vipd::ctl
