// The schema: what the keys of the configuration mean, and what they may be. It reads the tree that conf/yaml
// made of the file, and reports all that is wrong with it, not the first thing alone.
#pragma once

#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

// Worth something only if there are no errors among the diagnostics.
Config read_schema(const Node& root, Diagnostics& diagnostics);

}  // namespace vipd::conf
