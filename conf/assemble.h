// Assemble: merges all parts of a configuration into one document, before the schema interprets its keys: the
// file itself, conf.d/*.yaml beside it and the files that these include (!include). It then overlays the
// section of this node (nodes:) and substitutes variables (conf/variables.h).
//
// Maps are merged key by key. Two files must not contradict each other: the same key twice is an error. The
// section of a node overrides the rest; it replaces lists as a whole.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/node.h"
#include "conf/surroundings.h"

namespace vipd::conf {

constexpr int deepest_inclusion = 8;  // nested includes
constexpr int most_files = 256;

// text: the first file of the diagnostics. Returns nothing if it cannot be parsed; every other error is in
// the diagnostics. nodes: receives the names of the nodes that have a section.
std::optional<Node> assemble(std::string_view text, const Surroundings& surroundings,
                             Diagnostics& diagnostics, std::vector<std::string>& nodes);

}  // namespace vipd::conf
