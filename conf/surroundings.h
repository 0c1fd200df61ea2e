// Surroundings: everything that a configuration may refer to outside its own text: other files, the name of
// the node, environment variables. Programs use the real ones, tests use made-up ones.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace vipd::conf {

// The warning about a file with everybody_may_write.
constexpr const char* writable_by_all =
    "every user can write to this file, and so control what runs on this node";

struct FileText {
  std::string text;
  bool everybody_may_write = false;
};

struct Surroundings {
  // An Error if the file cannot be read: missing, not a regular file, no permission, too large.
  std::function<Result<FileText>(const std::string& path)> read;
  // The files that match a pattern with *, ? or [...], sorted. A pattern without these is returned as it is,
  // whether the file exists or not.
  std::function<std::vector<std::string>(const std::string& pattern)> match;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::string node;  // the name under "nodes:"
};

// node: if empty, the host name is used.
Surroundings surroundings_of_this_process(const std::string& node = {});

}  // namespace vipd::conf
