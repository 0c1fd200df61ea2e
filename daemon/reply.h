// Reply: what a client of the control socket is answered, a line of JSON without its end (vipd-control(7)).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace vipd::daemon {

std::string good(nlohmann::json result);
std::string good_text(const std::string& result);  // that is JSON already, and may be megabytes
std::string bad(const std::string& error);
std::string not_permitted();

}  // namespace vipd::daemon
