// The part of the schema that is about hooks: who is told when something happens.
#pragma once

#include "conf/yaml.h"
#include "events/hooks.h"

namespace vipd::conf {

// The key "hooks" of the reader's map, of a virtual router or at the top; none, if it is not there.
events::Hooks read_hooks(Reader& reader);

// The key as it stands in the file, indented by so many spaces; empty if there are no hooks.
std::string print_hooks(const events::Hooks& hooks, int indentation);

}  // namespace vipd::conf
