// The schema: the keys of the configuration, their meaning and their valid values. It reads the document that
// conf/assemble made and reports all errors, not only the first.
#pragma once

#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

// Valid only if the diagnostics have no errors.
Config read_schema(const Node& root, Diagnostics& diagnostics);

}  // namespace vipd::conf
