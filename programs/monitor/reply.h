// Reply: an answer to a client of the control socket, a line of JSON without the line break
// (vipd-control(7)).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace vipd::programs {

std::string good(nlohmann::json result);
std::string good_text(const std::string& result);  // result: JSON text, which may be megabytes
std::string bad(const std::string& error);
std::string not_permitted();

}  // namespace vipd::programs
