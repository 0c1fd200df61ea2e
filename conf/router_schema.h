// The part of the schema that is about virtual_routers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "conf/check_schema.h"
#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

struct RouterSection {
  std::vector<RouterEntry> routers;
  std::vector<std::string> names;            // as the file has them, good or bad
  std::set<std::string> with_bad_addresses;  // what is said about the others would mislead
};

RouterSection read_routers(const Node& node, Diagnostics& diagnostics, CheckSchema& checks);

}  // namespace vipd::conf
