// Landlock: gives up the file system, but for what is named. What the kernel does not know (before 5.13, or
// where it is off) is not there to be given up: that is told, and no error. Irrevocable.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vipd::programs {

struct AllowedPaths {
  std::vector<std::string> readable;  // and what is below; a path that does not exist is left out
  std::vector<std::string>
      writable;  // files that exist: their content. Nothing can be made, moved or removed.
  std::vector<std::string>
      managed{};  // and what is below: files can be made, written and removed, directories made
};

// false: the kernel has no Landlock. Needs no_new_privs.
Result<bool> restrict_files(const AllowedPaths& allowed);

}  // namespace vipd::programs
