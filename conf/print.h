// Prints Config as canonical YAML: every key with its value, including defaults, in one order and one form.
// The output loads as an equal Config. summary() counts what it contains.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "conf/config.h"

namespace vipd::conf {

std::string print(const Config& config);

// "2 virtual routers, 1 virtual server, 3 checks".
std::string summary(const Config& config);

std::string counted(std::size_t count, std::string_view thing);  // "1 check", "2 checks"

}  // namespace vipd::conf
