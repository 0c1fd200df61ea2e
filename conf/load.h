// Loads vipd.yaml into Config: conf/yaml parses the text, conf/assemble merges the files into one document,
// and conf/schema interprets the keys.
//
// It collects all errors, each with its place and a remedy. It looks at files only (the configuration, and
// the scripts and CA files that checks name). Whether an interface exists is a question to the kernel, later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/result.h"
#include "conf/config.h"
#include "conf/surroundings.h"

namespace vipd::conf {

struct Loaded {
  std::optional<Config> config;      // absent if and only if diagnostics has errors
  Diagnostics diagnostics;           // may have warnings in any case
  std::vector<std::string> nodes{};  // the names under "nodes:"
};

// Loads a configuration file and everything that belongs to it. An Error if the file cannot be read: missing,
// a directory, no permission, too large.
Result<Loaded> load_file(const std::string& path, const Surroundings& surroundings);
// The same for a text in memory. name: the file name in diagnostics; relative paths start at its directory.
Loaded load_text(const std::string& name, std::string text, const Surroundings& surroundings);

// Loads the output of conf/print: one text without includes and variables.
Loaded load_printed(const std::string& name, std::string text);

}  // namespace vipd::conf
