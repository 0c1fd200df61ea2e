// The part of the schema for events: where the journal is and how much of it is kept.
#pragma once

#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

// The section "events" of the file, or the defaults. Errors go to the reader's diagnostics.
EventsSection read_events(Reader& top);

// The section as YAML.
std::string print_events(const EventsSection& events);

}  // namespace vipd::conf
