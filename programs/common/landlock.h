// Landlock: gives up access to all files except those named. A restriction that the kernel does not support
// (before 5.13, or with Landlock disabled) is left out and reported, without an error. Irrevocable.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vipd::programs {

struct AllowedPaths {
  std::vector<std::string> readable;  // and everything below; missing paths are left out
  std::vector<std::string>
      writable;  // the content of files that exist. No file can be made, moved or removed.
  std::vector<std::string>
      managed{};  // and everything below: files can be made, written and removed, directories made
};

// false: the kernel has no Landlock. Needs no_new_privs.
Result<bool> restrict_files(const AllowedPaths& allowed);

}  // namespace vipd::programs
