#include "ctl/upgrade.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "ctl/answer.h"
#include "ctl/client.h"

namespace vipd::ctl {

namespace {
using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto pause = 50ms;

Result<json> status(const std::string& run_dir) {
  auto client = TRY(Client::connect(run_dir));
  return client.request({{"v", 1}, {"command", "status"}});
}

int pid_of(const json& status, const char* program) {
  return static_cast<int>(whole(part(part(status, "programs"), program), "pid"));
}

// By name and family.
std::map<std::string, std::string> states(const json& status) {
  std::map<std::string, std::string> states;
  for (const auto& router : list(status, "routers"))
    states[text(router, "name") + " (" + text(router, "family") + ")"] = text(router, "state");
  return states;
}

bool replaced(const json& before, const json& after) {
  for (const char* program : {"router", "monitor"}) {
    const int pid = pid_of(after, program);
    if (pid == 0 || pid == pid_of(before, program)) return false;
  }
  return true;
}

}  // namespace

json upgrade_summary(const json& before, const json& after) {
  std::vector<std::string> changed;
  const auto then = states(before);
  for (const auto& [name, state] : states(after))
    if (const auto known = then.find(name); known == then.end() || known->second != state)
      changed.push_back(name);
  const auto version_before = text(before, "version");
  const auto version = text(after, "version");
  const auto sentence = fmt::format(
      "vipd {} has replaced vipd {}: {}", version, version_before,
      changed.empty() ? then.size() == 1 ? std::string("1 virtual router kept its state")
                                         : fmt::format("{} virtual routers kept their state", then.size())
                      : fmt::format("the state of {} has changed", fmt::join(changed, ", ")));
  return {{"text", sentence}, {"version_before", version_before}, {"version", version}, {"changed", changed}};
}

Result<json> upgrade(const std::string& run_dir, std::chrono::seconds longest) {
  const auto before = TRY(status(run_dir));
  auto client = TRY(Client::connect(run_dir));
  TRY_VOID(client.request({{"v", 1}, {"command", "upgrade"}}, Client::command_bound));
  const auto bound = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < bound) {
    std::this_thread::sleep_for(pause);
    // A program may not answer while it is replaced.
    if (const auto after = status(run_dir); after && replaced(before, *after))
      return upgrade_summary(before, *after);
  }
  return failure(
      fmt::format("vipd began the upgrade, but its programs have not been replaced after {} s: see its log",
                  longest.count()),
      ETIMEDOUT);
}

}  // namespace vipd::ctl
