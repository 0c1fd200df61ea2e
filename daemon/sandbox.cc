#include "daemon/sandbox.h"

#include <sys/prctl.h>

#include <filesystem>

#include "daemon/landlock.h"

namespace vipd::daemon {

namespace {
// The router sets one of the kernel's settings for each interface. The monitor reads what checks name (CA
// files), and what the resolver reads; it writes the journal of events. That directory may be taken away and
// put back, so it is the one above that counts, where its user may do nothing else.
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
  // Without it a program that cannot become anybody else may still restrict itself.
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (const auto files = restrict_files(allowed_paths(part, events_directory)); !files)
    log.warning("files are not restricted: " + files.error().message);
  else if (!*files)
    log.debug("files are not restricted: the kernel has no Landlock");
  if (const auto calls = restrict_system_calls(part); !calls)
    log.warning("system calls are not restricted: " + calls.error().message);
}

}  // namespace vipd::daemon
