#include "ctl/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <set>
#include <utility>

#include "conf/changes.h"
#include "conf/load.h"
#include "ctl/answer.h"
#include "ctl/check.h"
#include "ctl/client.h"
#include "ctl/wording.h"

namespace vipd::ctl {

namespace {
using nlohmann::json;

Result<json> ask(const std::string& run_dir, json request) {
  auto client = TRY(Client::connect(run_dir));
  request["v"] = 1;
  return client.request(request);
}

// Reads the file as a reload would: its variables come from vipd's environment, not from ours. It asks for
// each as it turns up, because the values may include further files with further variables.
Result<conf::Loaded> load_as_vipd(const std::string& path, const std::string& node,
                                  const std::string& run_dir) {
  auto surroundings = conf::surroundings_of_this_process(node);
  std::map<std::string, std::optional<std::string>> known;
  std::set<std::string> unknown;
  surroundings.environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = known.find(name);
    if (found == known.end()) unknown.insert(name);
    return found == known.end() ? std::nullopt : found->second;
  };
  while (true) {
    auto loaded = conf::load_file(path, surroundings);
    if (!loaded) return failure(loaded.error().message, EINVAL);
    if (unknown.empty()) return loaded;
    const auto answer = TRY(ask(run_dir, {{"command", "configuration"}, {"variables", unknown}}));
    const auto& values = part(answer, "variables");
    if (!values.is_object())
      return failure(
          "this vipd does not send the variables of its environment: run vipctl upgrade, or use its own "
          "vipctl");
    for (const auto& name : std::exchange(unknown, {})) {
      const auto& value = part(values, name);
      known[name] = value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
    }
  }
}

std::string word(conf::Change::Kind kind) {
  switch (kind) {
    case conf::Change::Kind::added: return "added";
    case conf::Change::Kind::removed: return "removed";
    case conf::Change::Kind::changed: break;
  }
  return "changed";
}

bool is_of_failed_check(const conf::Change& change, const json& status) {
  const auto& checks = list(status, "checks");
  return change.key == "on_failure" && std::any_of(checks.begin(), checks.end(), [&](const json& check) {
           return change.subject == "check " + text(check, "name") && text(check, "state") == "down";
         });
}

// The change keeps the virtual router in Initialize, because the check is down.
bool gives_up(const conf::Change& change, const json& status) {
  return change.after == "initialize" && is_of_failed_check(change, status);
}

// Whether it begins anew there: what it is now says nothing about what it will be.
bool is_moved(const std::string& subject, const std::vector<conf::Change>& all) {
  return std::any_of(all.begin(), all.end(), [&](const conf::Change& each) {
    return each.subject == subject && (each.key == "interface" || each.key == "vrid");
  });
}

// The effects of a change, one of these, in the current state.
std::vector<std::string> prospects(const conf::Change& change, const std::vector<conf::Change>& all,
                                   const json& status) {
  std::vector<std::string> found;
  if (gives_up(change, status))
    found.emplace_back(
        "it is down: this node gives up the addresses at once; without a Backup no node has them");
  else if (is_of_failed_check(change, status))
    found.emplace_back("it is down: this takes effect at once");
  if (change.key != "priority" || change.after.empty() || !change.subject.starts_with("virtual router ") ||
      is_moved(change.subject, all))
    return found;
  for (const auto& router : list(status, "routers"))
    if (change.subject == "virtual router " + text(router, "name"))
      found.push_back(prospect(router, std::stoi(change.after)));
  return found;
}

// here: the interfaces of the host that vipd runs on, if it sends them.
std::vector<std::string> without_interface(const conf::Config& config, const json& here) {
  std::vector<std::string> missing;
  if (!here.is_array()) return missing;
  for (const auto& router : config.virtual_routers)
    if (std::find(here.begin(), here.end(), router.interface) == here.end())
      missing.push_back(conf::without_interface(router));
  return missing;
}

json to_json(const conf::Change& change, const std::vector<conf::Change>& all, const json& status) {
  return {{"subject", change.subject},
          {"key", change.key},
          {"kind", word(change.kind)},
          {"before", change.before},
          {"after", change.after},
          {"consequence", change.consequence},
          {"interrupts", change.interrupts || gives_up(change, status)},
          {"prospects", prospects(change, all, status)}};
}

}  // namespace

std::string prospect(const json& router, int base_priority) {
  const auto family = text(router, "family");
  const auto state = text(router, "state");
  // Failed checks reduce the new priority as they reduce the old one.
  if (base_priority == vrrp::owner_priority)
    return fmt::format(
        "{} becomes the address owner: priority 255 whatever its checks report, Active at once, without a "
        "lease",
        family);
  const int priority = std::clamp(
      base_priority + static_cast<int>(whole(router, "priority") - whole(router, "base_priority")), 1, 254);
  if (state == "Active")
    return fmt::format(
        "{} is Active and will have priority {}: a Backup with a higher priority and preempt_mode takes over "
        "without an interruption",
        family, priority);
  const auto& peer = part(router, "peer");
  if (state != "Backup" || !peer.is_object()) return fmt::format("{} stays {}", family, state);
  const auto others = whole(peer, "priority");
  const auto named = fmt::format("{} has priority {}", text(peer, "address"), others);
  if (priority > others && truth(router, "preempt_mode", true))
    return fmt::format("{} becomes Active with priority {}: {}", family, priority, named);
  return fmt::format("{} stays Backup with priority {}: {}", family, priority, named);
}

Result<int> diff(const std::string& run_dir, const std::string& file, const std::string& node, bool as_json,
                 std::ostream& out, std::ostream& err) {
  const auto running = TRY(ask(run_dir, {{"command", "configuration"}}));
  const auto& printed = part(running, "configuration");
  const auto configuration = printed.is_string() ? printed.get<std::string>() : std::string();
  const auto before = conf::load_printed("", configuration);
  if (!before.config)
    return failure(
        "this vipctl cannot read the configuration of vipd: use the vipctl that belongs to the running vipd");
  const auto path = file.empty() ? text(running, "file") : file;
  const auto after = TRY(load_as_vipd(path, node.empty() ? text(running, "node") : node, run_dir));
  const auto diagnostics = list_of(after.diagnostics);
  if (!as_json) err << after.diagnostics.render();
  if (!after.config) {
    if (as_json)
      out << json{{"error", path + " has errors: vipd would refuse a reload"}, {"diagnostics", diagnostics}}
                 .dump(-1, ' ', false, json::error_handler_t::replace)
          << "\n";
    return diff_errors;
  }
  const auto changes = conf::changes(*before.config, *after.config);
  const auto status = TRY(ask(run_dir, {{"command", "status"}}));
  const bool interrupts = std::any_of(changes.begin(), changes.end(), [&](const conf::Change& each) {
    return each.interrupts || gives_up(each, status);
  });
  const auto missing = without_interface(*after.config, part(running, "interfaces"));
  if (as_json) {
    json list = json::array();
    for (const auto& change : changes) list.push_back(to_json(change, changes, status));
    out << json{{"file", path},
                {"changes", list},
                {"interrupts", interrupts},
                {"missing", missing},
                {"diagnostics", diagnostics},
                {"goes_back_in_s", part(status, "goes_back_in_s")}}
               .dump(2, ' ', false, json::error_handler_t::replace)
        << "\n";
    return diff_ok;
  }
  if (const auto waiting = waiting_reload(status); !waiting.empty())
    out << waiting << "; the comparison is with the configuration in force until then\n";
  for (const auto& change : changes) {
    out << conf::to_text(change) << "\n";
    for (const auto& each : prospects(change, changes, status)) out << "    " << each << "\n";
  }
  for (const auto& each : missing) out << each << "\n";
  out << (changes.empty() ? "nothing would change: " + path + " is what is in force\n"
          : interrupts    ? "a reload may interrupt service\n"
                          : "a reload would not interrupt service\n");
  return diff_ok;
}

}  // namespace vipd::ctl
