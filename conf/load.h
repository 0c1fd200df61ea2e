// vipd.yaml to Config: from the file by way of conf/yaml, which reads the text, to conf/schema, which knows
// the keys.
//
// All mistakes are collected, each with its place and what to do. It reads files (the configuration, and what
// checks name: scripts, CA files) and nothing else: whether an interface exists is the kernel's to say,
// later.
#pragma once

#include <optional>
#include <string>

#include "base/document.h"
#include "base/result.h"
#include "conf/config.h"

namespace vipd::conf {

struct Loaded {
  std::optional<Config> config;  // absent if and only if diagnostics has errors
  Diagnostics diagnostics;       // warnings may be there in any case
};

// name: what diagnostics call the text, usually a path.
Loaded load_text(const std::string& name, std::string text);

// An Error if the file cannot be read at all: missing, a directory, no permission, too large.
Result<Loaded> load_file(const std::string& path);

}  // namespace vipd::conf
