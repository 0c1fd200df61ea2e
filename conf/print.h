// Config to canonical YAML: every key with its value, defaults included, in one order and one form. What it
// prints loads as an equal Config.
#pragma once

#include <string>

#include "conf/config.h"

namespace vipd::conf {

std::string print(const Config& config);

}  // namespace vipd::conf
