// The part of the schema for virtual_routers.
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
  std::vector<std::string> names;            // as written in the file, valid or not
  std::set<std::string> with_bad_addresses;  // errors that compare with their addresses would mislead
};

RouterSection read_routers(const Node& node, Diagnostics& diagnostics, CheckSchema& checks);

}  // namespace vipd::conf
