// The settings of a script check:
//
//     script: [/usr/lib/vipd/check-replication, --max-lag, "5"]   # no shell: words, not a command line
//     user: nobody              # default: vipd where there is such a user, else nobody
//     result: exit              # or priority
//     latency: 500ms
//
//   result: exit      exit code 0 is healthy, everything else is not.
//   result: priority  while the exit code is 0, the first line printed is a number, -254 to 254, that is
//                     added to the priority of the virtual router.
//
// A file that another user could replace is refused (checks/settings/program_settings).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checks/settings/check.h"
#include "checks/settings/program_settings.h"

namespace vipd::checks {

enum class ScriptResult : std::uint8_t { exit, priority };

struct ScriptSettings : Settings {
  std::vector<std::string> argv;  // argv[0] is the absolute path
  std::string user;               // a name, or empty for the default
  ScriptResult result = ScriptResult::exit;
};

std::unique_ptr<Settings> read_script(Reader& reader);

// The user that a script runs as: `name`, or the default if it is empty.
Result<ScriptUser> find_script_user(const std::string& name);

// The program and its arguments under a key, as a list of words. Reports errors, also about the program's
// file. `user`: the user that it is to run as.
std::vector<std::string> read_program(Reader& reader, std::string_view key, const std::string& user);

}  // namespace vipd::checks
