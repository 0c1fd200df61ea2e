// vipd.yaml to Config: conf/assemble makes one document of the files, by way of conf/yaml, which reads the
// text, and conf/schema knows the keys.
//
// All mistakes are collected, each with its place and what to do. It reads files (the configuration, and what
// checks name: scripts, CA files) and nothing else: whether an interface exists is the kernel's to say,
// later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "base/result.h"
#include "conf/config.h"
#include "conf/surroundings.h"

namespace vipd::conf {

struct Loaded {
  std::optional<Config> config;      // absent if and only if diagnostics has errors
  Diagnostics diagnostics;           // warnings may be there in any case
  std::vector<std::string> nodes{};  // that it has sections for
};

// A file that somebody has written, with all that belongs to it. An Error if it cannot be read at all:
// missing, a directory, no permission, too large.
Result<Loaded> load_file(const std::string& path, const Surroundings& surroundings);
// The same with its text at hand. name: what diagnostics call it, and what paths are relative to.
Loaded load_text(const std::string& name, std::string text, const Surroundings& surroundings);

// What conf/print has written: one text, in which nothing is included or replaced.
Loaded load_printed(const std::string& name, std::string text);

}  // namespace vipd::conf
