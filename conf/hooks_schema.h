// The part of the schema for hooks: the programs and receivers that vipd notifies of events.
#pragma once

#include "conf/yaml.h"
#include "events/hooks.h"

namespace vipd::conf {

// Reads the key "hooks" of a virtual router or of the top level; no hooks if it is absent.
events::Hooks read_hooks(Reader& reader);

// The key as YAML, indented by that many spaces; empty if there are no hooks.
std::string print_hooks(const events::Hooks& hooks, int indentation);

}  // namespace vipd::conf
