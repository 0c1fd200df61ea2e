#include "conf/schema.h"

#include <utility>

#include "conf/check_schema.h"
#include "conf/events_schema.h"
#include "conf/hooks_schema.h"
#include "conf/metrics_schema.h"
#include "conf/router_schema.h"
#include "conf/server_schema.h"
#include "conf/words.h"

namespace vipd::conf {

Config read_schema(const Node& root, Diagnostics& diagnostics) {
  if (root.type == Node::Type::null) {
    diagnostics.error({1, 1, 1}, "the configuration is empty",
                      "begin with \"virtual_routers:\", see vipd.yaml(5)");
    return {};
  }
  Reader reader(root, diagnostics, "the configuration");
  // One error is enough: a key of another program is reported with the name that vipd uses.
  if (!reader.has("virtual_router") && !reader.has("vrrp_instance")) reader.required("virtual_routers");
  reader.child("nodes");  // conf/assemble has handled them
  reader.child("vars");
  CheckSchema checks(diagnostics);
  RouterSection routers;
  Config config;
  if (const Node* const node = reader.child("virtual_routers"))
    routers = read_routers(*node, diagnostics, checks);
  if (const Node* const node = reader.child("virtual_servers"))
    config.virtual_servers = read_servers(*node, routers, diagnostics, checks);
  config.virtual_routers = std::move(routers.routers);
  config.events = read_events(reader);
  config.metrics = read_metrics(reader);
  config.hooks = read_hooks(reader);
  refuse_top_words(reader);
  reader.finish();
  return config;
}

}  // namespace vipd::conf
