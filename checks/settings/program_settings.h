// Checks which program may run as a user: one that only root, that user and the user of vipd can replace or
// alter. The check is made when a configuration is read, with lstat alone: nothing is run.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace vipd::checks {

// The user that a script runs as.
struct ScriptUser {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
};

struct Trouble {
  std::string what;    // follows the program's name: " is not executable by daemon", ": Permission denied"
  std::string remedy;  // "chmod +x /usr/lib/x/check"
};

// Why the program at this absolute path must not run; absent if it may. Checks all directories on the way to
// it, those of symbolic links included: a user that can write to one of them can replace the program. Without
// a user it checks only what holds for every user.
std::optional<Trouble> trouble_with_program(const std::string& path, const std::optional<ScriptUser>& user);

}  // namespace vipd::checks
