// The part of the schema for metrics: where vipd serves them.
#pragma once

#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

// The section "metrics" of the file, or the default. Errors go to the reader's diagnostics.
MetricsSection read_metrics(Reader& top);

// The section as YAML.
std::string print_metrics(const MetricsSection& metrics);

}  // namespace vipd::conf
