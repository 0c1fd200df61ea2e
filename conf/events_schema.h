// The part of the schema that is about events: where their journal is, and how much of it is kept.
#pragma once

#include "conf/config.h"
#include "conf/yaml.h"

namespace vipd::conf {

// The section "events" of the file; the defaults, if there is none. Mistakes go to the reader's diagnostics.
EventsSection read_events(Reader& top);

// The section as it stands in the file; empty if all of it is as by default.
std::string print_events(const EventsSection& events);

}  // namespace vipd::conf
