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

// usual, with one piece of text replaced, against usual.
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

TEST_CASE("changes: the same configuration, however it is written, has none") {
  CHECK(conf::changes(read(usual), read(usual)).empty());
  CHECK(after("priority: 150", "priority: 150\n    preempt_mode: true # as before").empty());
  CHECK(conf::to_text(std::vector<conf::Change>{}) == "nothing would change\n");
}

TEST_CASE("changes: each is a line that says what it is about, what it was and what it will be") {
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

TEST_CASE("changes: what follows for this node and its peers is said below the change") {
  const auto usual_key = [](const std::string& key) {
    return after("priority: 150", "priority: 150\n    " + key);
  };
  const auto follows = [](const std::vector<conf::Change>& changes) {
    std::string text;
    for (const auto& each : changes) text += each.consequence;
    return text;
  };
  const std::string another =
      "for its peers this is another virtual router: this node hands the old one over and joins the new one; "
      "until all nodes are reloaded, two may be Active";
  CHECK(follows(after("vrid: 51", "vrid: 52")) == another);
  CHECK(conf::to_text(after("vrid: 51", "vrid: 52")) ==
        "virtual router edge: vrid 51 -> 52\n    " + another + "\n");
  CHECK(follows(after("eth0", "eth1")) == another);
  // Once, though two addresses are added.
  CHECK(follows(after("[192.0.2.10/24]", "[192.0.2.11/24, 192.0.2.12/24, 192.0.2.10/24]")) ==
        "until the peers are reloaded too, the lists differ: vipd and RFC 9568 bear that, but a keepalived "
        "before 2.3.3 "
        "drops advertisements with another list, and both nodes become Active");
  CHECK(follows(after("priority: 150", "priority: 120")) ==
        "the priorities decide again, without an interruption");
  CHECK(follows(usual_key("advertisement_interval: 500ms")) ==
        "Backups learn the interval of their Active; reload all nodes");
  CHECK(follows(usual_key("preempt_mode: false")) == "holds from the next advertisement on");
  CHECK(follows(usual_key("checksum: rfc9568")) ==
        "a peer that does not understand this form becomes Active as well");
  CHECK(follows(usual_key("dead_man: 5s")) == "the addresses are renewed with this lifetime");
  CHECK(follows(after("      nginx:", "      nginx2:")) == "it counts as up until its first result");
}

TEST_CASE("changes: of hooks only what somebody has written is listed, key by key") {
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

TEST_CASE("changes: what a journal that may keep less will lose is said") {
  const auto follows = [](const std::string& before, const std::string& after) {
    const auto found =
        conf::changes(read("events: {" + before + "}" + usual), read("events: {" + after + "}" + usual));
    REQUIRE(found.size() == 1);
    return found[0].consequence;
  };
  CHECK(follows("max_size: 64MiB", "max_size: 1MiB") ==
        "the oldest events are removed, until the rest has no more than that");
  CHECK(follows("max_size: 1MiB", "max_size: 64MiB").empty());
  CHECK(follows("max_age: 30d", "max_age: 1d") == "events that are older are removed");
  CHECK(follows("max_age: 1d", "max_age: 30d").empty());
  CHECK(follows("directory: /var/lib/a", "directory: /var/lib/b") ==
        "the journal begins anew there; what has been kept stays where it is");
}

TEST_CASE("changes: a check that can take the addresses from this node is foretold before its first result") {
  const std::string gives_up =
      "if it fails, this node gives the addresses up; without a Backup nobody has them";
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
  // A virtual router that is new has no addresses to give up.
  const auto new_router =
      after("virtual_routers:",
            "virtual_routers:\n  more: {interface: eth0, vrid: 9, addresses: [192.0.2.9/24], " + check + "}");
  REQUIRE(new_router.size() == 2);
  CHECK(new_router[1].consequence == "it counts as up until its first result; " + gives_up);
  CHECK_FALSE(new_router[1].interrupts);
}

TEST_CASE("changes: entries that come and go") {
  const auto alone = read("virtual_routers: {other: {interface: eth0, vrid: 7, addresses: [192.0.2.77/24]}}");
  const auto found = conf::changes(read(usual), alone);
  std::vector<std::string> lines;
  for (const auto& each : found) lines.push_back(first_line(each));
  CHECK(lines == std::vector<std::string>{"virtual router other added", "virtual router edge removed",
                                          "virtual server web removed", "check web/nginx removed"});
  CHECK(found[0].consequence ==
        "it begins as Backup and listens first; its checks count from their first result on");
  CHECK(found[1].consequence ==
        "it hands over and leaves the addresses to its peers; without a peer nobody has them");
  CHECK(found[1].interrupts);
}
