// Words that are no keys, or not yet: what keepalived and others call a thing, and what comes later. Each is
// refused with what to write in its place.
#pragma once

#include "conf/yaml.h"

namespace vipd::conf {

void refuse_router_words(Reader& reader);  // in a virtual router
void refuse_server_words(Reader& reader);  // in a virtual server
void refuse_top_words(Reader& reader);     // at the top of the file
bool refuse_check_words(Reader& reader);   // in a check; true: it is of a kind that only others know
void refuse_hook_words(Reader& reader);    // in hooks

}  // namespace vipd::conf
