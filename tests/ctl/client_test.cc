// What vipctl says when vipd is not there, does not answer, or answers what it should not.
#include "ctl/client.h"

#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "ctl/diff.h"
#include "ctl/recording.h"
#include "ctl/upgrade.h"
#include "tests/checks/scratch.h"
#include "tests/ctl/fake_vipd.h"

using namespace vipd;
using nlohmann::json;
using testing::FakeVipd;

namespace {

Error answered(const std::string& answer) {
  const FakeVipd vipd([&](const std::string&) { return answer; });
  return vipd.client().request({{"command", "status"}}).error();
}

std::string connecting(const std::string& run_dir) {
  return ctl::Client::connect(run_dir).error().message;
}

json status(const std::string& version, int pid, const std::string& state) {
  return {{"ok", true},
          {"result",
           {{"version", version},
            {"programs", {{"router", {{"pid", pid}}}, {"monitor", {{"pid", pid + 1}}}}},
            {"routers", json::array({{{"name", "edge"}, {"family", "IPv4"}, {"state", state}}})}}}};
}

// What `vipctl upgrade` says of a vipd that is first this and then that.
Result<json> upgraded(const json& before, const json& after) {
  bool begun = false;
  const FakeVipd vipd([&](const std::string& line) {
    if (line.find("upgrade") == std::string::npos) return (begun ? after : before).dump() + "\n";
    begun = true;
    return json{{"ok", true}, {"result", {{"text", ""}}}}.dump() + "\n";
  });
  return ctl::upgrade(vipd.run_dir(), std::chrono::seconds(before == after ? 0 : 10));
}

}  // namespace

TEST_CASE("without a running vipd, vipctl names the path it has tried and the remedy") {
  const testing::Scratch scratch;
  const auto there = "cannot connect to vipd at " + scratch.path() + "/control: ";
  CHECK(connecting(scratch.path()) ==
        there + "No such file or directory (is vipd running? is its --run-dir another one?)");
  {
    const FakeVipd gone([](const std::string&) { return ""; });
  }
  const std::string deep(120, 'x');
  CHECK(connecting("/tmp/" + deep) == "cannot connect to vipd: the path /tmp/" + deep +
                                          "/control is too long for a socket: set --run-dir to that of vipd");
}

TEST_CASE("a user without permission gets the groups that have it") {
  const FakeVipd vipd([](const std::string&) { return ""; });
  REQUIRE(chmod(vipd.run_dir().c_str(), 0) == 0);
  // Root has all permissions, and a user namespace may have no other user.
  const auto before = static_cast<uid_t>(setfsuid(65534));
  const bool is_another = static_cast<uid_t>(setfsuid(65534)) != 0;
  if (is_another)
    CHECK(connecting(vipd.run_dir()) ==
          "cannot connect to vipd at " + vipd.run_dir() +
              "/control: Permission denied: use sudo, or join the groups vipd (to read) and "
              "vipd-admin (to command too): usermod -aG vipd,vipd-admin USER");
  setfsuid(before);
  REQUIRE(chmod(vipd.run_dir().c_str(), 0700) == 0);
}

TEST_CASE("vipctl does not wait for ever for a stopped vipd-monitor: the error names it and the remedy") {
  const FakeVipd vipd([](const std::string&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return "";
  });
  CHECK(vipd.client().request({{"command", "status"}}, 20).error().message ==
        "no answer from vipd-monitor: it may be stopped or hang; vipd replaces it after 10 s. Try again "
        "then, or see the log of vipd");
}

TEST_CASE("vipctl shows the reason that vipd sends before it closes a connection") {
  const FakeVipd vipd([](const std::string&) { return ""; },
                      "{\"v\":1,\"ok\":false,\"error\":\"too many\"}\n");
  auto client = vipd.client();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(client.request({{"command", "status"}}).error().message == "too many");
}

TEST_CASE("without descriptors vipctl names the step that failed") {
  const FakeVipd vipd([](const std::string&) { return "{}\n"; });
  auto client = vipd.client();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto unconnected = connecting(vipd.run_dir());
  const auto unasked = client.next_event(0);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(unconnected == "opening a socket to vipd: Too many open files");
  CHECK(unasked.error().message == "waiting for vipd: Invalid argument");
}

TEST_CASE("a vipd that ends, is silent or sends nonsense is distinguished from one that refuses") {
  const auto closed = answered("");
  CHECK(closed.message == "vipd closed the connection: it is stopping or restarting");
  CHECK(closed.code == ECONNRESET);
  const auto nonsense = answered("hello\n");
  CHECK(nonsense.message ==
        "the answer of vipd is not a JSON object: use the vipctl that belongs to the running vipd");
  CHECK(nonsense.code == EPROTO);
  CHECK(answered("{\"ok\": false, \"error\": \"it is late\"}\n").message == "it is late");
  CHECK(answered("{\"ok\": false}\n").message == "vipd refused without giving a reason: see its log");
  CHECK(answered("{\"ok\": false}\n").code == 0);
  CHECK(answered("{\"permitted\": false}\n").message == "permission denied");
  CHECK(answered("{\"permitted\": false}\n").code == EPERM);

  const FakeVipd silent([](const std::string&) { return "\r"; });
  const auto nothing = silent.client().request({{"command", "status"}}, 10);
  CHECK(nothing.error().message ==
        "no answer from vipd-monitor: it may be stopped or hang; vipd replaces it after 10 s. Try again "
        "then, or see the log of vipd");
  CHECK(nothing.error().code == ETIMEDOUT);
}

TEST_CASE("a connection that vipd closed before the request is reported as closed") {
  const FakeVipd vipd([](const std::string&) { return ""; });
  auto client = vipd.client();
  CHECK_FALSE(client.request({{"command", "status"}}));
  CHECK(client.request({{"command", "status"}}).error().message ==
        "vipd closed the connection: it is stopping or restarting");
}

TEST_CASE("an answer that is not a recording is not written as one") {
  CHECK(ctl::recording_text("...").error().message ==
        "the answer of vipd is not a recording: use the vipctl that belongs to the running vipd");
}

TEST_CASE("an endless answer is an error, not an endless read") {
  const FakeVipd vipd([](const std::string&) { return std::string(4 << 20, 'x'); });
  auto client = vipd.client();
  Error error;
  // Each question brings a piece of the same line.
  for (int i = 0; i < 40 && error.code != EPROTO; ++i)
    error = client.request({{"command", "status"}}, 100).error();
  CHECK(error.message == "the answer of vipd is too long");
}

TEST_CASE("diff: a configuration that this vipctl cannot read is an error") {
  const FakeVipd vipd([](const std::string&) {
    return json{{"ok", true}, {"result", {{"file", "f"}, {"configuration", "virtual_routers: 7"}}}}.dump() +
           "\n";
  });
  std::ostringstream out;
  CHECK(ctl::diff(vipd.run_dir(), "", "", false, out, out).error().message ==
        "this vipctl cannot read the configuration of vipd: use the vipctl that belongs to the running vipd");
}

TEST_CASE("upgrade: reports the new version, and the virtual routers that changed their state") {
  const auto old = status("1.0", 100, "Active");
  const auto unchanged = upgraded(old, status("1.1", 200, "Active"));
  REQUIRE(unchanged);
  CHECK((*unchanged)["text"] == "vipd 1.1 has replaced vipd 1.0: 1 virtual router kept its state");
  CHECK((*unchanged)["changed"] == json::array());
  const auto changed = upgraded(old, status("1.1", 200, "Backup"));
  REQUIRE(changed);
  CHECK((*changed)["text"] == "vipd 1.1 has replaced vipd 1.0: the state of edge (IPv4) has changed");
  CHECK((*changed)["changed"] == json::array({"edge (IPv4)"}));
}

TEST_CASE("upgrade: programs that are not replaced in time are an error that names the log") {
  const auto old = status("1.0", 100, "Active");
  const auto stuck = upgraded(old, old);
  REQUIRE_FALSE(stuck);
  CHECK(stuck.error().message ==
        "vipd began the upgrade, but its programs have not been replaced after 0 s: see its log");
  CHECK(stuck.error().code == ETIMEDOUT);
}
