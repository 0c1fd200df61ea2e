// The part of the schema that is about metrics: where they are served.
#pragma once

#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

// The section "metrics" of the file; the default, if there is none. Mistakes go to the reader's diagnostics.
MetricsSection read_metrics(Reader& top);

// The section as it stands in the file; empty if it is as by default.
std::string print_metrics(const MetricsSection& metrics);

}  // namespace vipd::conf
