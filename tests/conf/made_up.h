// Surroundings of a configuration that exist only in a test.
#pragma once

#include <fnmatch.h>

#include <map>
#include <string>

#include "conf/load.h"

namespace vipd::tests {

// Files by their path; "web-a" is the node's name.
struct MadeUp {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;
  std::string node = "web-a";

  conf::Surroundings surroundings() const {
    return {.read = [this](const std::string& path) -> Result<conf::FileText> {
              const auto found = files.find(path);
              if (found == files.end()) return failure("cannot read " + path + ": No such file or directory");
              return conf::FileText{found->second, false};
            },
            .match = [this](const std::string& pattern) -> std::vector<std::string> {
              if (pattern.find('*') == std::string::npos) return {pattern};
              std::vector<std::string> found;
              for (const auto& [path, text] : files)
                if (fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0) found.push_back(path);
              return found;
            },
            .environment = [this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables.find(name);
              return found == variables.end() ? std::nullopt : std::optional(found->second);
            },
            .node = node};
  }
};

inline conf::Loaded load(const std::string& name, std::string text) {
  const MadeUp made_up;
  return conf::load_text(name, std::move(text), made_up.surroundings());
}

}  // namespace vipd::tests
