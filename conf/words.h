// Words that are not keys, or not yet: the keys of keepalived and other programs, and keys that later
// versions will support. Each is rejected with the key to use instead.
#pragma once

#include "conf/yaml.h"

namespace vipd::conf {

void refuse_router_words(Reader& reader);  // in a virtual router
void refuse_server_words(Reader& reader);  // in a virtual server
void refuse_top_words(Reader& reader);     // at the top of the file
bool refuse_check_words(Reader& reader);   // in a check; true if its kind exists only in other programs
void refuse_hook_words(Reader& reader);    // in hooks

}  // namespace vipd::conf
