#include "programs/common/sandbox.h"

#include <sys/prctl.h>

#include <filesystem>

#include "programs/common/landlock.h"

namespace vipd::programs {

namespace {
// The router writes one kernel setting for each interface. The monitor reads files named by checks (CA files)
// and files of the resolver; it writes the journal of events. Because that directory may be removed and
// created again, the rule is for its parent, where its user may do nothing else.
AllowedPaths allowed_paths(Part part, const std::string& events_directory) {
  if (part == Part::router)
    return {{"/etc/localtime", "/usr/share/zoneinfo", "/proc/self"}, {"/proc/sys/net/ipv4/conf"}, {}};
  AllowedPaths allowed{{"/"}, {}, {}};
  const auto above = std::filesystem::path(events_directory).parent_path();
  if (!above.empty() && above != "/") allowed.managed.push_back(above);
  return allowed;
}
}  // namespace

void enter_sandbox(Log& log, Part part, const std::string& events_directory) {
  // Lets a program that cannot switch its user still restrict itself.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (const auto files = restrict_files(allowed_paths(part, events_directory)); !files)
    log.warning("access to files is not restricted: " + files.error().message);
  else if (!*files)
    log.debug("access to files is not restricted: the kernel has no Landlock");
  if (const auto calls = restrict_system_calls(part); !calls)
    log.warning("system calls are not restricted: " + calls.error().message);
}

}  // namespace vipd::programs
