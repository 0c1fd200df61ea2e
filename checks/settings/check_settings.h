// A check in the configuration file: the keys that all kinds share, which are read here, and the kind's own,
// which the kind reads.
//
//     nginx:
//       http: http://127.0.0.1/healthz     # one of the kinds, and its keys
//       interval: 1s                       # from start to start, 10ms to 1h
//       timeout: 2s                        # bound on a whole attempt, 10ms to 1h
//       fall: 3                            # failures in a row until down, 1 to 1000
//       rise: 2                            # successes in a row until up, 1 to 1000
//       on_failure: {priority: -60}        # -254 to -1 (default -254), or: on_failure: initialize
#pragma once

#include <string>

#include "checks/settings/check.h"

namespace vipd::checks {

// reader: over the check's map. name: becomes CheckConfig::name. Reports errors in the shared keys and in the
// kind's, and unknown keys (it calls finish()). The returned values are within their limits in any case.
CheckConfig read_check(Reader& reader, std::string name);

// The other direction: read_check(check_to_node(check)) == check.
Node check_to_node(const CheckConfig& check);

}  // namespace vipd::checks
