// Which format of metrics a client wants, from the Accept header of its request (RFC 9110, section 12.5.1).
#pragma once

#include <string_view>

#include "programs/monitor/exposition.h"

namespace vipd::programs {

// accept: the values of all such headers, with commas between; empty: there was none. Of formats that are as
// welcome, OpenMetrics if it was asked for by name. A client that takes neither gets Prometheus' text, which
// all can read.
Format accepted_format(std::string_view accept);

}  // namespace vipd::programs
