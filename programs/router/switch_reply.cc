#include "programs/router/switch_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace vipd::programs {

SwitchReply reply_to(const Command& command, const vrrp::Status& status) {
  std::vector<vrrp::RouterStatus> concerned;
  for (const auto& router : status.routers)
    if (router.config.name == command.router) concerned.push_back(router);
  if (concerned.empty()) return {vrrp::no_such_entry(status, command.router), {}};
  const bool active = std::any_of(concerned.begin(), concerned.end(),
                                  [](const auto& each) { return each.state == vrrp::StateName::active; });
  const bool yielded =
      std::any_of(concerned.begin(), concerned.end(), [](const auto& each) { return each.yielded; });
  if (command.back) {
    if (!yielded) return {fmt::format("{} has not been switched away from this node", command.router), {}};
    return {fmt::format("{} takes part by priority again", command.router),
            vrrp::SwitchBackRequested{command.router}};
  }
  if (!active)
    return {fmt::format("{} is {} on this node: run the command on the node that is Active", command.router,
                        to_string(concerned.front().state)),
            {}};
  if (concerned.front().config.owner())
    return {fmt::format("this node is the address owner of {} (priority 255): it cannot hand over",
                        command.router),
            {}};
  return {fmt::format("handing over {0}: a Backup takes over, or this node again if there is none; `vipctl "
                      "switch --back {0}` "
                      "undoes it",
                      command.router),
          vrrp::SwitchRequested{command.router}};
}

}  // namespace vipd::programs
