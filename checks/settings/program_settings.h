// What may be run as a user: a program that nobody can replace or alter but root, that user and we. Looked at
// when a configuration is read, with lstat alone: nothing is run.
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

// What forbids to run the program at this absolute path; absent if nothing does. All directories that lead to
// it count, those of symbolic links on the way too: who can write one of them can put another file there.
// Without a user only what holds for every user is looked at.
std::optional<Trouble> trouble_with_program(const std::string& path, const std::optional<ScriptUser>& user);

}  // namespace vipd::checks
