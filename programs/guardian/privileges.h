// Privileges: the users and the capabilities of the programs: each has only those that it needs, and no way
// to get others.
//
//   vipd          the user that started it; CAP_NET_ADMIN and CAP_NET_RAW to hold for the router, CAP_BPF and
//                 CAP_PERFMON for the lease, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SYS_RESOURCE and
//                 CAP_KILL to start and end the others and the scripts of checks
//   vipd-router   a user of its own; CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_NICE, CAP_IPC_LOCK
//   vipd-monitor  the same user; none
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/process.h"

namespace vipd::programs {

constexpr const char* default_user = "vipd";

class Privileges {
 public:
  // user: a name; empty: default_user, if it exists and this process can switch to it. An Error if a user
  // given by name does not exist or this process cannot switch to it.
  static Result<Privileges> find(const std::string& user);

  // Why the router and the monitor run as the user that started vipd; empty if they do not.
  const std::string& shared_because() const { return shared_because_; }

  void limit_router(io::SpawnOptions& options) const;
  void limit_monitor(io::SpawnOptions& options) const;

  // Gives a directory to the user of the monitor, if there is one. Before limit_own(); a failure shows when
  // the monitor writes.
  void give_to_monitor(const std::string& directory) const;

  // Gives up the capabilities that vipd itself does not need. Scripts that run as root keep theirs.
  static Result<> limit_own();

 private:
  struct Account {
    uid_t user = 0;
    gid_t group = 0;
  };
  void limit(io::SpawnOptions& options, std::vector<int> wanted) const;

  std::optional<Account> account_;  // absent: the user of vipd
  std::string shared_because_;
};

// Whether this process has the required capabilities (CAP_NET_ADMIN, CAP_NET_RAW). The error has the remedy.
Result<> check_permissions();

}  // namespace vipd::programs
