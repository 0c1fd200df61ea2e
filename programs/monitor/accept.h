// Chooses the format of metrics by the Accept header of a request. Clients list the formats that they read in the order
// of their preference (so does Prometheus, whatever its scrape_protocols); quality values say the same again and are not
// read.
#pragma once

#include <string_view>

#include "programs/monitor/exposition.h"

namespace vipd::programs {

// accept: the values of all such headers, joined by commas; empty: there was none. OpenMetrics if the client names it
// before text/plain; else the text format of Prometheus, which every client can read.
Format accepted_format(std::string_view accept);

}  // namespace vipd::programs
