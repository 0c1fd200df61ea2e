// Surroundings: what a configuration may refer to outside of its own text: other files, the node's name,
// variables of the environment. The disk's and the process's own for programs, made-up ones for tests.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace vipd::conf {

// What to say of a file that everybody_may_write.
constexpr const char* writable_by_all = "everybody may write this file, and with it what runs on this node";

struct FileText {
  std::string text;
  bool everybody_may_write = false;
};

struct Surroundings {
  // An Error if the file cannot be read: missing, no regular file, no permission, too large.
  std::function<Result<FileText>(const std::string& path)> read;
  // The files that *, ? and [...] in the pattern stand for, sorted. Without any of them: the path itself,
  // whether it exists or not.
  std::function<std::vector<std::string>(const std::string& pattern)> match;
  std::function<std::optional<std::string>(const std::string& name)> environment;
  std::string node;  // the name under "nodes:"
};

// node: empty for the host's name.
Surroundings surroundings_of_this_process(const std::string& node = {});

}  // namespace vipd::conf
