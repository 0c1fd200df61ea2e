// Chooses the format of metrics by the Accept header of a request (RFC 9110, section 12.5.1).
#pragma once

#include <string_view>

#include "programs/monitor/exposition.h"

namespace vipd::programs {

// accept: the values of all such headers, joined by commas; empty: there was none. Between formats of equal
// preference it chooses OpenMetrics if the client named it. A client that accepts neither gets Prometheus'
// text format, which every client can read.
Format accepted_format(std::string_view accept);

}  // namespace vipd::programs
