#include "programs/guardian/privileges.h"

#include <cap-ng.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/user_namespace.h"
#include "programs/common/capability.h"

namespace vipd::programs {

namespace {
constexpr std::array router_needs{CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_NICE, CAP_IPC_LOCK};
constexpr std::array own_needs{CAP_NET_ADMIN,       CAP_NET_RAW, CAP_BPF,          CAP_PERFMON,
                               CAP_SETUID,          CAP_SETGID,  CAP_SETPCAP,      CAP_SYS_NICE,
                               CAP_DAC_READ_SEARCH, CAP_KILL,    CAP_SYS_RESOURCE, CAP_IPC_LOCK};
}  // namespace

Result<> check_permissions() {
  if (has_capability(CAP_NET_ADMIN) && has_capability(CAP_NET_RAW)) return {};
  return failure(
      "vipd requires the capabilities CAP_NET_ADMIN and CAP_NET_RAW: run it as root or as a service", EPERM);
}

Result<Privileges> Privileges::find(const std::string& user) {
  Privileges privileges;
  const auto& name = user.empty() ? default_user : user;
  const passwd* entry = getpwnam(name.c_str());
  if (!entry) {
    if (!user.empty()) return failure(fmt::format("there is no user \"{}\" (--user)", user));
    privileges.shared_because_ = fmt::format("there is no user \"{}\"", name);
  } else if (entry->pw_uid == geteuid()) {
    if (user.empty()) privileges.shared_because_ = fmt::format("vipd itself runs as {}", name);
  } else if (!has_capability(CAP_SETUID) || !has_capability(CAP_SETGID) || !is_mapped(entry->pw_uid)) {
    if (!user.empty())
      return failure(
          fmt::format("vipd cannot start programs as {} (--user): it lacks CAP_SETUID and CAP_SETGID, "
                      "or its user namespace does not have this user",
                      name),
          EPERM);
    privileges.shared_because_ = fmt::format("vipd cannot start programs as {}", name);
  } else {
    privileges.account_ = Account{entry->pw_uid, entry->pw_gid};
  }
  return privileges;
}

void Privileges::limit(io::SpawnOptions& options, std::vector<int> wanted) const {
  std::erase_if(wanted, [](int capability) { return !has_capability(capability); });
  options.capabilities = std::move(wanted);
  options.no_new_privs = true;
  if (!account_) return;
  options.user = account_->user;
  options.group = account_->group;
}

void Privileges::limit_router(io::SpawnOptions& options) const {
  limit(options, {router_needs.begin(), router_needs.end()});
}

void Privileges::limit_monitor(io::SpawnOptions& options) const {
  limit(options, {});
}

void Privileges::give_to_monitor(const std::string& directory) const {
  if (!account_) return;
  [[maybe_unused]] const int given = lchown(directory.c_str(), account_->user, account_->group);
}

Result<> Privileges::limit_own() {
  capng_get_caps_process();
  std::vector<unsigned> kept;
  for (const auto capability : own_needs)
    if (capng_have_capability(CAPNG_PERMITTED, static_cast<unsigned>(capability)))
      kept.push_back(static_cast<unsigned>(capability));
  capng_clear(CAPNG_SELECT_CAPS);
  for (const auto capability : kept)
    capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED), capability);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) return failure("giving up unneeded capabilities");
  return {};
}

}  // namespace vipd::programs
