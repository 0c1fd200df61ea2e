#include "conf/changes.h"

#include <doctest/doctest.h>

#include "conf/load.h"
#include "tests/conf/made_up.h"

using namespace vipd;

namespace {

const std::string usual = R"(
virtual_routers:
  edge:
    interface: eth0
    vrid: 51
    priority: 150
    addresses: [192.0.2.10/24]
virtual_servers:
  web:
    router: edge
    listen: [192.0.2.10:80]
    checks:
      nginx: {http: "http://127.0.0.1/healthz", interval: 1s, on_failure: {priority: -60}}
)";

conf::Config read(const std::string& text) {
  auto loaded = tests::load("text", text);
  INFO(loaded.diagnostics.render());
  REQUIRE(loaded.config);
  return *loaded.config;
}

// The changes from `usual` to the same text with one piece replaced.
std::vector<conf::Change> after(const std::string& what, const std::string& by) {
  auto text = usual;
  const auto at = text.find(what);
  REQUIRE(at != std::string::npos);
  return conf::changes(read(usual), read(text.replace(at, what.size(), by)));
}

std::string first_line(const conf::Change& change) {
  const auto text = conf::to_text(change);
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("changes: a configuration written in another way has none") {
  CHECK(conf::changes(read(usual), read(usual)).empty());
  CHECK(after("priority: 150", "priority: 150\n    preempt_mode: true # as before").empty());
}

TEST_CASE("changes: each is a line with its subject, the old value and the new value") {
  struct Case {
    const char *what, *by;
    std::vector<std::string> lines;
    bool interrupts;
  };
  const std::vector<Case> cases{
      {"priority: 150", "priority: 120", {"virtual router edge: priority 150 -> 120"}, false},
      {"[192.0.2.10/24]",
       "[192.0.2.10/24, 192.0.2.11/24]",
       {"virtual router edge: address 192.0.2.11/24 added"},
       true},
      {"[192.0.2.10/24]",
       "[192.0.2.11/24, 192.0.2.10/24, 192.0.2.12/24]",
       {"virtual router edge: address 192.0.2.11/24 added",
        "virtual router edge: address 192.0.2.12/24 added"},
       true},
      {"interval: 1s", "interval: 500ms", {"check web/nginx: interval 1s -> 500ms"}, false},
      {"{priority: -60}", "initialize", {"check web/nginx: on_failure {priority: -60} -> initialize"}, false},
      {"interface: eth0", "interface: eth1", {"virtual router edge: interface eth0 -> eth1"}, true},
      {"[192.0.2.10:80]",
       "[192.0.2.10:80, 192.0.2.10:443]",
       {"virtual server web: listener 192.0.2.10:443 added"},
       false},
      {"priority: 150", "priority: 150\n    lease: off", {"virtual router edge: lease auto -> off"}, false},
      {"      nginx:", "      nginx2:", {"check web/nginx2 added", "check web/nginx removed"}, false},
      {"priority: 150",
       "priority: 150\n    checks: {ping: {tcp: \"127.0.0.1:80\"}}",
       {"check edge/ping added"},
       false},
      {"virtual_routers:",
       "metrics: {listen: off}\nevents: {max_age: 30d}\nvirtual_routers:",
       {"events: max_age 180d -> 30d", "metrics: listen 127.0.0.1:9650 -> off"},
       false},
  };
  for (const auto& each : cases) {
    CAPTURE(each.by);
    const auto found = after(each.what, each.by);
    REQUIRE(found.size() == each.lines.size());
    bool interrupts = false;
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(first_line(found[i]) == each.lines[i]);
      interrupts |= found[i].interrupts;
    }
    CHECK(interrupts == each.interrupts);
  }
}

TEST_CASE("changes: the consequence for this node and its peers follows below the change") {
  const auto usual_key = [](const std::string& key) {
    return after("priority: 150", "priority: 150\n    " + key);
  };
  const auto follows = [](const std::vector<conf::Change>& changes) {
    std::string text;
    for (const auto& each : changes) text += each.consequence;
    return text;
  };
  const auto another = follows(after("vrid: 51", "vrid: 52"));
  CHECK(another.find("two may be Active") != std::string::npos);
  CHECK(conf::to_text(after("vrid: 51", "vrid: 52").at(0)) ==
        "virtual router edge: vrid 51 -> 52\n    " + another);
  CHECK(follows(after("eth0", "eth1")) == another);
  const auto lists_differ = follows(after("[192.0.2.10/24]", "[192.0.2.11/24, 192.0.2.10/24]"));
  CHECK(lists_differ.find("keepalived before 2.3.3") != std::string::npos);
  // Once, even if two addresses are added.
  CHECK(follows(after("[192.0.2.10/24]", "[192.0.2.11/24, 192.0.2.12/24, 192.0.2.10/24]")) == lists_differ);
  for (const auto* key :
       {"advertisement_interval: 500ms", "preempt_mode: false", "checksum: rfc9568", "dead_man: 5s"}) {
    CAPTURE(key);
    CHECK_FALSE(follows(usual_key(key)).empty());
  }
  CHECK_FALSE(follows(after("priority: 150", "priority: 120")).empty());
  CHECK(follows(after("      nginx:", "      nginx2:")) == "it counts as up until its first result");
}

TEST_CASE("changes: hooks are compared key by key, and only keys that a file sets are listed") {
  const auto lines = [](const std::string& before, const std::string& after) {
    std::vector<std::string> all;
    for (const auto& each : conf::changes(read(before), read(after))) all.push_back(first_line(each));
    return all;
  };
  const auto with = [](const std::string& keys) { return usual + "hooks: {" + keys + "}\n"; };
  using Lines = std::vector<std::string>;
  CHECK(lines(usual, with("on_active: [/bin/true]")) == Lines{"hooks: on_active (none) -> [/bin/true]"});
  CHECK(lines(with("on_active: [/bin/true]"), usual) == Lines{"hooks: on_active [/bin/true] -> (none)"});
  CHECK(lines(usual, with("fifo: /run/fifo, severity: P0")) ==
        Lines{"hooks: severity P2 -> P0", "hooks: fifo (none) -> /run/fifo"});
  CHECK(lines(usual, with("webhook: {url: \"http://192.0.2.7/x\"}")) ==
        Lines{"hooks: webhook.url (none) -> http://192.0.2.7/x"});
  CHECK(lines(with("webhook: {url: \"http://192.0.2.7/x\"}"),
              with("webhook: {url: \"http://192.0.2.7/x\", timeout: 1s}")) ==
        Lines{"hooks: webhook.timeout 10s -> 1s"});
  auto own = usual;
  own.replace(own.find("    priority: 150"), 0, "    hooks: {on_backup: [/bin/true]}\n");
  CHECK(lines(usual, own) == Lines{"hooks of virtual router edge: on_backup (none) -> [/bin/true]"});
}

TEST_CASE("changes: a smaller or another journal has a consequence, a larger one has none") {
  const auto follows = [](const std::string& before, const std::string& after) {
    const auto found =
        conf::changes(read("events: {" + before + "}" + usual), read("events: {" + after + "}" + usual));
    REQUIRE(found.size() == 1);
    return found[0].consequence;
  };
  CHECK(follows("max_size: 64MiB", "max_size: 1MiB").find("removed") != std::string::npos);
  CHECK(follows("max_size: 1MiB", "max_size: 64MiB").empty());
  CHECK(follows("max_age: 30d", "max_age: 1d").find("removed") != std::string::npos);
  CHECK(follows("max_age: 1d", "max_age: 30d").empty());
  CHECK(follows("directory: /var/lib/a", "directory: /var/lib/b").find("a new journal") != std::string::npos);
}

TEST_CASE("changes: a check that can make this node give up the addresses is announced") {
  const std::string gives_up =
      "if it fails, this node gives up the addresses; without a Backup no node has them";
  const std::string check = "checks: {ping: {tcp: \"127.0.0.1:80\", on_failure: initialize}}";
  const auto added = after("priority: 150", "priority: 150\n    " + check);
  REQUIRE(added.size() == 1);
  CHECK(added[0].consequence == "it counts as up until its first result; " + gives_up);
  CHECK(added[0].interrupts);
  CHECK(after("{priority: -60}", "initialize")[0].consequence == gives_up);
  const auto of_server =
      after("      nginx:", "      more: {tcp: \"127.0.0.1:80\", on_failure: initialize}\n      nginx:");
  REQUIRE(of_server.size() == 1);
  CHECK(of_server[0].interrupts);
  // A new virtual router has no addresses to give up.
  const auto new_router =
      after("virtual_routers:",
            "virtual_routers:\n  more: {interface: eth0, vrid: 9, addresses: [192.0.2.9/24], " + check + "}");
  REQUIRE(new_router.size() == 2);
  CHECK(new_router[1].consequence == "it counts as up until its first result; " + gives_up);
  CHECK_FALSE(new_router[1].interrupts);
}

TEST_CASE("changes: added and removed entries") {
  const auto alone = read("virtual_routers: {other: {interface: eth0, vrid: 7, addresses: [192.0.2.77/24]}}");
  const auto found = conf::changes(read(usual), alone);
  std::vector<std::string> lines;
  for (const auto& each : found) lines.push_back(first_line(each));
  CHECK(lines == std::vector<std::string>{"virtual router other added", "virtual router edge removed",
                                          "virtual server web removed", "check web/nginx removed"});
  CHECK(found[0].consequence.find("starts as Backup") != std::string::npos);
  CHECK(found[1].consequence.find("hands the addresses over") != std::string::npos);
  CHECK(found[1].interrupts);
}
