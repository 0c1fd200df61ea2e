#include "ctl/diff.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/ctl/fake_vipd.h"

using namespace vipd;
using nlohmann::json;
using vipd::ctl::prospect;
using vipd::testing::FakeVipd;

namespace {
json router(const char* state, int priority, int base, json peer) {
  return {{"family", "IPv4"},      {"state", state},       {"priority", priority},
          {"base_priority", base}, {"preempt_mode", true}, {"peer", std::move(peer)}};
}
const json active_with_100{{"address", "192.0.2.2"}, {"priority", 100}};

// A vipd with this configuration and this environment, and a file beside it.
class Running {
 public:
  explicit Running(json configuration, json status = json::object())
      : configuration_(std::move(configuration)), status_(std::move(status)) {}

  void set(const std::string& name, const std::string& value) { environment_[name] = value; }
  void without_variables() { tells_variables_ = false; }
  std::string file() const { return vipd_.run_dir() + "/vipd.yaml"; }
  void write(const std::string& text) const { std::ofstream(file()) << text; }

  struct Plan {
    std::string out;
    std::string err;
    Result<int> result;
  };
  Plan plan(bool as_json = false) const { return plan_for(file(), as_json); }
  Plan plan_for(const std::string& file, bool as_json = false) const {
    std::ostringstream out;
    std::ostringstream err;
    auto result = ctl::diff(vipd_.run_dir(), file, "", as_json, out, err);
    return {out.str(), err.str(), std::move(result)};
  }

 private:
  std::string answer(const json& request) const {
    auto result = request["command"] == "status" ? status_ : configuration_;
    if (request["command"] == "configuration" && tells_variables_) {
      result["variables"] = json::object();
      for (const auto& name : request.value("variables", json::array()))
        if (const auto found = environment_.find(name); found != environment_.end())
          result["variables"][found->first] = found->second;
    }
    return json{{"ok", true}, {"result", result}}.dump() + "\n";
  }

  json configuration_;
  json status_;
  std::map<std::string, std::string> environment_;
  bool tells_variables_ = true;
  FakeVipd vipd_{[this](const std::string& line) { return answer(json::parse(line)); }};
};

std::string edge_with(const std::string& keys) {
  return "virtual_routers: {edge: {interface: eth0, vrid: 51, addresses: [192.0.2.10/24], " + keys + "}}\n";
}
json in_force(const std::string& keys) {
  return {{"file", "/etc/vipd/vipd.yaml"}, {"node", "web-a"}, {"configuration", edge_with(keys)}};
}
}  // namespace

TEST_CASE("diff: variables are those of vipd's environment, as in a reload") {
  setenv("VIPD_TEST_PRIORITY", "10", 1);
  Running vipd(in_force("priority: 150"));
  vipd.set("VIPD_TEST_PRIORITY", "150");
  vipd.write(edge_with("priority: \"${VIPD_TEST_PRIORITY}\""));
  CHECK(vipd.plan().out == "nothing would change: " + vipd.file() + " is what is in force\n");

  vipd.write(edge_with("priority: \"${VIPD_TEST_UNKNOWN}\""));
  const auto unknown = vipd.plan();
  CHECK(*unknown.result == ctl::diff_errors);
  CHECK(unknown.err.find("there is no variable VIPD_TEST_UNKNOWN") != std::string::npos);
  unsetenv("VIPD_TEST_PRIORITY");
}

TEST_CASE("diff: a vipd that does not send its variables is an error, not a guess") {
  Running vipd(in_force("priority: 150"));
  vipd.without_variables();
  vipd.write(edge_with("priority: 150"));
  CHECK(vipd.plan().result);
  vipd.write(edge_with("priority: \"${VIPD_TEST_PRIORITY:-150}\""));
  CHECK(
      vipd.plan().result.error().message ==
      "this vipd does not send the variables of its environment: run vipctl upgrade, or use its own vipctl");
}

TEST_CASE("diff: with --json the errors in the file are JSON too") {
  const Running vipd(in_force("priority: 150"));
  vipd.write(edge_with("priority: 300"));
  const auto plan = vipd.plan(true);
  CHECK(*plan.result == ctl::diff_errors);
  CHECK(plan.err.empty());
  const auto told = json::parse(plan.out);
  CHECK(told["error"] == vipd.file() + " has errors: vipd would refuse a reload");
  CHECK(told["diagnostics"][0]["message"] == "priority must be 1 to 255, not 300");
}

TEST_CASE("diff: a file that cannot be read is wrong usage, as it is for check") {
  const Running vipd(in_force("priority: 150"));
  const auto plan = vipd.plan_for("/nonexistent/vipd.yaml");
  CHECK(plan.result.error().message == "cannot read /nonexistent/vipd.yaml: No such file or directory");
  CHECK(plan.result.error().code == EINVAL);
}

TEST_CASE("diff: an unconfirmed reload is shown, because the comparison is with it") {
  Running vipd(in_force("priority: 150"), {{"goes_back_in_s", 24.2}});
  vipd.write(edge_with("priority: 120"));
  CHECK(vipd.plan().out.starts_with(
      "unconfirmed reload: rolls back in 24 s; \"vipctl confirm\" keeps it; the comparison is with the "
      "configuration in force until then\nvirtual router edge: priority 150 -> 120\n"));
  CHECK(json::parse(vipd.plan(true).out)["goes_back_in_s"] == 24.2);
}

TEST_CASE("diff: shows what a new priority means for the virtual router in its current state") {
  CHECK(prospect(router("Active", 150, 150, nullptr), 120) ==
        "IPv4 is Active and will have priority 120: a Backup with a higher priority and preempt_mode takes "
        "over without an interruption");
  CHECK(prospect(router("Backup", 50, 50, active_with_100), 90) ==
        "IPv4 stays Backup with priority 90: 192.0.2.2 has priority 100");
  CHECK(prospect(router("Backup", 50, 50, active_with_100), 150) ==
        "IPv4 becomes Active with priority 150: 192.0.2.2 has priority 100");
  CHECK(prospect(router("Initialize", 50, 50, nullptr), 150) == "IPv4 stays Initialize");
  CHECK(prospect(router("Active", 250, 250, nullptr), 255) ==
        "IPv4 becomes the address owner: priority 255 whatever its checks report, Active at once, without a "
        "lease");
}

TEST_CASE("diff: failed checks reduce the new priority as they reduce the old one") {
  CHECK(prospect(router("Backup", 40, 100, active_with_100), 150) ==
        "IPv4 stays Backup with priority 90: 192.0.2.2 has priority 100");
  auto patient = router("Backup", 50, 50, active_with_100);
  patient["preempt_mode"] = false;
  CHECK(prospect(patient, 150) == "IPv4 stays Backup with priority 150: 192.0.2.2 has priority 100");
}
