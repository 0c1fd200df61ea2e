// Config to canonical YAML: every key with its value, defaults included, in one order and one form. What it
// prints loads as an equal Config. And what is in it, in a few words.
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
