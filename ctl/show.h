// Show: what vipd answers, as text for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vipd::ctl {

// `vipctl status`: a block for each virtual router, its addresses and checks. colours: ANSI sequences.
std::string status_text(const nlohmann::json& status, bool colours);

// `vipctl explain`: the sentences.
std::string explanation_text(const nlohmann::json& explanation);

}  // namespace vipd::ctl
