// Assemble: one document of all that a configuration consists of, before anybody looks at what its keys mean:
// the file itself, conf.d/*.yaml beside it, what they include (!include), the section of this node (nodes:)
// laid over it, and variables (conf/variables.h) replaced.
//
// Maps are joined key by key. What two files say must not contradict: the same key twice is a mistake. What a
// node's section says wins over the rest; lists are replaced whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "conf/surroundings.h"

namespace vipd::conf {

constexpr int deepest_inclusion = 8;  // files that include each other
constexpr int most_files = 256;

// The text is the first file among the diagnostics. Absent if it cannot be read; what else is wrong is among
// the diagnostics. nodes: the names that it has sections for.
std::optional<Node> assemble(std::string_view text, const Surroundings& surroundings,
                             Diagnostics& diagnostics, std::vector<std::string>& nodes);

}  // namespace vipd::conf
