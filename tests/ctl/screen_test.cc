// The page of `vipctl watch`: it fits the terminal, shows problems, and works without a status too.
#include "ctl/screen.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vipd;
using namespace vipd::ctl;
using nlohmann::json;

namespace {
constexpr Style plain{false, false};

json router(const std::string& name, const std::string& state) {
  return {{"name", name},
          {"state", state},
          {"interface", "eth0"},
          {"vrid", 51},
          {"family", "IPv4"},
          {"since_s", 37.0},
          {"reason", "started"},
          {"obstacles", json::array()},
          {"priority", 250},
          {"base_priority", 250},
          {"peer", {{"address", "192.0.2.2"}, {"priority", 200}, {"heard_ms_ago", 420.0}}},
          {"addresses", json::array({{{"address", "192.0.2.10/24"}, {"present", state == "Active"}}})},
          {"yielded", false},
          {"releasing", false},
          {"conflict", nullptr},
          {"deaf_peer", nullptr}};
}

json check(int runs, int failures, double latency) {
  return {{"name", "web/nginx"},  {"state", failures > 0 ? "down" : "up"},
          {"detail", "HTTP 200"}, {"latency_ms", latency},
          {"runs", runs},         {"failures", failures},
          {"since_s", 37.0},      {"last_result_s_ago", 0.1}};
}

json event(const std::string& text) {
  return {{"time", "2026-11-21T11:27:00.123Z"}, {"severity", "P1"}, {"router", "edge"}, {"text", text}};
}

json status_with(const std::vector<json>& routers, const std::vector<json>& checks = {}) {
  return {{"version", "1.2.3"},
          {"programs", {{"router", {{"pid", 5}, {"restarts", 0}}}}},
          {"routers", routers},
          {"checks", checks}};
}

View view_of(json status) {
  View view;
  view.node = "web-a";
  view.time = "11:27:01 UTC";
  update(view, std::move(status));
  return view;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const auto& line : lines) all += line + "\n";
  return all;
}

bool contains(const std::vector<std::string>& lines, const std::string& what) {
  return joined(lines).find(what) != std::string::npos;
}
}  // namespace

TEST_CASE("watch: routers, the peer, checks and the last events fit 80 columns") {
  auto view = view_of(status_with({router("edge", "Active")}, {check(1, 0, 2.0)}));
  view.events = {event("Backup -> Active (priority 250): no Active has been heard"), event("it continues")};
  const auto lines = draw(view, {80, 14}, plain);
  CHECK(joined(lines) ==
        "vipd 1.2.3 on web-a   1 Active                                      11:27:01 UTC\n"
        "\n"
        "VIRTUAL ROUTER  STATE      FOR         PRIO ON           PEER (PRIO), HEARD\n"
        "edge            Active     37 s        250  eth0 51      192.0.2.2 (200) 420 ms\n"
        "\n"
        "CHECK           STATE   FOR         LATENCY   LAST RESULTS         DETAIL\n"
        "web/nginx       up      37 s        2.0 ms                       # HTTP 200\n"
        "\n"
        "EVENTS (UTC)\n"
        "11:27:00 P1 edge: Backup -> Active (priority 250): no Active has been heard\n"
        "11:27:00 P1 edge: it continues\n"
        "\n"
        "\n"
        "q quits\n");
}

TEST_CASE("watch: a latency that is a lower limit is shown as one") {
  auto slow = check(1, 1, 100.0);
  slow["latency_exceeded"] = true;
  auto view = view_of(status_with(json::array(), {slow}));
  CHECK(contains(draw(view, {80, 14}, plain), " >100.0 ms "));
}

TEST_CASE("watch: with any size of the terminal all lines fit") {
  json routers = json::array();
  for (int i = 0; i < 60; ++i)
    routers.push_back(router("a name that is far too long for its column " + std::to_string(i), "Backup"));
  auto view = view_of(status_with(routers, {check(1, 0, 2.0)}));
  for (int i = 0; i < 300; ++i) view.events.push_back(event(std::string(200, 'x')));
  for (std::size_t columns : {1, 2, 10, 39, 80, 200})
    for (std::size_t rows : {1, 2, 5, 6, 7, 12, 24, 100}) {
      view.scrolled = 1000;
      const auto lines = draw(view, {columns, rows}, plain);
      CHECK(lines.size() <= rows);
      for (const auto& line : lines) CHECK(line.size() <= columns);
    }
}

TEST_CASE("watch: a small terminal too shows the last event and the virtual router") {
  auto view = view_of(status_with({router("edge", "Active")}, {check(1, 0, 2.0)}));
  for (int i = 1; i <= 9; ++i) view.events.push_back(event("number " + std::to_string(i)));
  for (std::size_t rows = 6; rows <= 14; ++rows) {
    CAPTURE(rows);
    const auto lines = draw(view, {80, rows}, plain);
    CHECK(contains(lines, "\nedge            Active"));
    CHECK(contains(lines, "11:27:00 P1 edge: number 9\n"));
    CHECK(lines.size() == rows);
  }
  CHECK(contains(draw(view, {80, 11}, plain), "edge: number 8\n"));
  CHECK(contains(draw(view, {80, 13}, plain), "\nEVENTS (UTC)\n"));
}

TEST_CASE("watch: shows a problem below its virtual router") {
  auto idle = router("idle", "Initialize");
  idle["obstacles"] = {"eth0 has no carrier"};
  auto lost = router("lost", "Active");
  lost["addresses"][0]["present"] = false;
  auto left = router("left", "Backup");
  left["addresses"][0]["present"] = true;
  auto both_left = left;
  both_left["addresses"].push_back(left["addresses"][0]);
  auto switched = router("switched", "Backup");
  switched["yielded"] = true;
  auto contested = router("contested", "Active");
  contested["conflict"] = {{"mac", "02:00:00:00:00:66"}, {"address", "192.0.2.10"}};
  contested["deaf_peer"] = "192.0.2.2";
  auto view = view_of(status_with({idle, lost, left, both_left, switched, contested}));
  view.status["programs"]["monitor"] = {{"pid", 0}, {"restarts", 2}};
  const auto lines = draw(view, {100, 40}, plain);
  CHECK(contains(lines, "2 Active, 3 Backup, 1 Initialize"));
  CHECK(contains(lines, "\nthe monitor program is not running\n"));
  CHECK(contains(lines, "\n  eth0 has no carrier\n"));
  CHECK(contains(lines, "\n  1 of 1 addresses are missing here\n"));
  CHECK(contains(lines, "\n  1 address is here\n"));
  CHECK(contains(lines, "\n  2 addresses are here\n"));
  CHECK(contains(lines, "\n  switched to the peer: vipctl switch --back switched\n"));
  CHECK(contains(lines, "\n  02:00:00:00:00:66 claims 192.0.2.10\n"));
  CHECK(contains(lines, "\n  192.0.2.2 is Active too and does not hear this node\n"));
}

TEST_CASE("watch: an unconfirmed reload is at the top, in small terminals too") {
  auto view = view_of(status_with({router("edge", "Active")}));
  view.status["goes_back_in_s"] = 24.2;
  for (std::size_t rows : {3, 24})
    CHECK(draw(view, {80, rows}, plain)[1].starts_with("unconfirmed reload: rolls back in 24 s"));
}

TEST_CASE("watch: the curve of a check grows with each new result, and shows failures") {
  auto view = view_of(status_with({router("edge", "Active")}, {check(1, 0, 1.0)}));
  update(view, status_with({router("edge", "Active")}, {check(1, 0, 1.0)}));  // nothing new
  update(view, status_with({router("edge", "Active")}, {check(2, 0, 4.0)}));
  update(view, status_with({router("edge", "Active")}, {check(5, 2, 8.0)}));
  update(view, status_with({router("edge", "Active")}, {check(6, 2, 8.0)}));
  CHECK(contains(draw(view, {80, 24}, plain), " _:x# "));
  CHECK(contains(draw(view, {80, 24}, {false, true}), " ▁▄x█ "));
  for (int i = 7; i < 200; ++i) update(view, status_with({}, {check(i, 2, 8.0)}));
  CHECK(view.history["web/nginx"].latencies().size() == CheckHistory::longest);
  update(view, status_with({}));
  CHECK(view.history.empty());
}

TEST_CASE("watch: colours only on request, and they take no room") {
  auto view = view_of(status_with({router("edge", "Active")}, {check(1, 1, 2.0)}));
  view.events = {event("something")};
  CHECK(!contains(draw(view, {80, 24}, plain), "\033"));
  const auto lines = draw(view, {80, 24}, {true, false});
  CHECK(contains(lines, "\033[32mActive\033[0m"));
  CHECK(contains(lines, "\033[33mP1\033[0m"));
  CHECK(contains(lines, "\033[31mx\033[0m"));
}

TEST_CASE("watch: names in UTF-8 are cut between characters") {
  auto view = view_of(status_with({router("ärger-über-ällem-mit-ümlauten", "Active")}));
  CHECK(contains(draw(view, {80, 24}, {false, true}), "\närger-über-äll… Active"));
}

TEST_CASE("watch: scrolling ends at the last line, and the bottom line shows the position") {
  json routers = json::array();
  for (int i = 0; i < 50; ++i) routers.push_back(router("r" + std::to_string(i), "Backup"));
  auto view = view_of(status_with(routers));
  view.scrolled = 1000;
  const auto lines = draw(view, {80, 20}, plain);
  CHECK(contains(lines, "\nr49 "));
  CHECK(contains(lines, "q quits, up and down scroll: lines 35 to 51 of 51"));
  CHECK(view.scrolled == 34);
}

TEST_CASE("watch: shows that no vipd is running, and that nothing is configured") {
  View view;
  view.trouble = "retrying: cannot connect to vipd: Connection refused";
  CHECK(contains(draw(view, {80, 24}, plain), "\nretrying: cannot connect to vipd: Connection refused\n"));
  auto empty = view_of(status_with(json::array()));
  CHECK(contains(draw(empty, {80, 24}, plain), "no virtual routers are configured"));
}
