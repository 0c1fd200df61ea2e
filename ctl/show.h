// Show: the answers of vipd as text for people.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace vipd::ctl {

// `vipctl status`: a block for each virtual router with its addresses, then the checks. Long lines are
// wrapped, so that none is longer than `columns`. colours: with ANSI sequences.
std::string status_text(const nlohmann::json& status, bool colours, std::size_t columns = 80);

// `vipctl explain`: the sentences.
std::string explanation_text(const nlohmann::json& explanation);

}  // namespace vipd::ctl
