// The part of the schema for virtual_servers.
#pragma once

#include <vector>

#include "conf/check_schema.h"
#include "conf/config.h"
#include "conf/router_schema.h"
#include "conf/yaml.h"

namespace vipd::conf {

// routers: the virtual routers that a virtual server may name.
std::vector<ServerEntry> read_servers(const Node& node, const RouterSection& routers,
                                      Diagnostics& diagnostics, CheckSchema& checks);

}  // namespace vipd::conf
