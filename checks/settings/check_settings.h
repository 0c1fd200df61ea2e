// A check as the configuration file has it: the keys that every kind shares, read here, and the kind's own,
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

// reader: over the check's map. name: becomes CheckConfig::name. Mistakes of the shared keys and of the
// kind's go to the reader's diagnostics, unknown keys too (it calls finish()); what is left is sane in any
// case.
CheckConfig read_check(Reader& reader, std::string name);

// The other direction: read_check(check_to_node(check)) == check.
Node check_to_node(const CheckConfig& check);

}  // namespace vipd::checks
