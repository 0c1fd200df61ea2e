// What vipctl prints of a vipd's answers, as a person reads it.
#include "ctl/show.h"

#include <doctest/doctest.h>

using namespace vipd;
using nlohmann::json;

namespace {

// An Active that nothing troubles.
json calm() {
  return {{"name", "edge"},
          {"state", "Active"},
          {"interface", "eth0"},
          {"vrid", 51},
          {"family", "IPv4"},
          {"since_s", 37.0},
          {"reason", "no advertisement for 3.61 s"},
          {"priority", 250},
          {"base_priority", 250},
          {"peer", nullptr},
          {"addresses", json::array({{{"address", "192.0.2.10/24"}, {"present", true}}})},
          {"lease", {{"on", true}, {"why_not", nullptr}, {"remaining_ms", 250.0}, {"drops", 0}}},
          {"yielded", false},
          {"conflict", nullptr},
          {"deaf_peer", nullptr},
          {"discarded", {{"checksum", 0}}}};
}

json troubled() {
  auto router = calm();
  router["state"] = "Backup";
  router["since_s"] = 0.42;
  router["priority"] = 190;
  router["peer"] = {{"address", "192.0.2.2"}, {"priority", 200}, {"heard_ms_ago", 120.0}};
  router["addresses"].push_back({{"address", "192.0.2.11/24"}, {"present", false}});
  router["lease"] = {{"on", true}, {"why_not", nullptr}, {"remaining_ms", -1500.0}, {"drops", 17}};
  router["yielded"] = true;
  router["conflict"] = {
      {"mac", "02:00:00:00:00:66"}, {"address", "192.0.2.10"}, {"times", 4}, {"heard_ms_ago", 90000.0}};
  router["deaf_peer"] = "192.0.2.2";
  router["discarded"] = {{"checksum", 3}, {"hop_limit", 0}, {"version", 2}};
  return router;
}

json idle() {
  auto router = calm();
  router["state"] = "Initialize";
  router["since_s"] = 12.0 * 60;
  router["reason"] = "eth0 does not exist";
  router["addresses"] = json::array();
  for (int i = 1; i <= 10; ++i)
    router["addresses"].push_back({{"address", "192.0.2." + std::to_string(i) + "/24"}, {"present", false}});
  router["lease"] = {{"on", false}, {"why_not", "switched off in the configuration"}};
  router["conflict"] = {{"mac", nullptr}, {"address", "192.0.2.1"}, {"times", 1}, {"heard_ms_ago", 100.0}};
  return router;
}

json status_of(const json& routers) {
  return {{"routers", routers},
          {"checks", json::array()},
          {"interfaces", json::object()},
          {"programs", {{"router", {{"pid", 42}, {"restarts", 0}}}}}};
}

}  // namespace

TEST_CASE("status: an Active that nothing troubles") {
  CHECK(ctl::status_text(status_of(json::array({calm()})), false) ==
        "edge  Active  eth0 VRID 51 IPv4, since 37 s\n"
        "    why       no advertisement for 3.61 s\n"
        "    priority  250\n"
        "    peer      none heard\n"
        "    addresses 192.0.2.10/24 (here)\n"
        "    lease     on, for another 250 ms\n");
}

TEST_CASE("status: all that can trouble a virtual router is said") {
  CHECK(ctl::status_text(status_of(json::array({troubled()})), false) ==
        "edge  Backup  eth0 VRID 51 IPv4, since 0.42 s\n"
        "    why       no advertisement for 3.61 s\n"
        "    priority  190 (configured 250)\n"
        "    peer      192.0.2.2, priority 200, heard 0.12 s ago\n"
        "    addresses 192.0.2.10/24, 192.0.2.11/24 (1 of 2 here)\n"
        "    lease     on, has run out 1.50 s ago, 17 packets dropped\n"
        "    switched  to the peer by command; vipctl switch --back edge\n"
        "    conflict  02:00:00:00:00:66 has 192.0.2.10 too: 4 times, 90 s ago for the last time\n"
        "    one way   192.0.2.2 is Active too and does not hear this node\n"
        "    discarded 3 checksum, 2 version\n");
  CHECK(ctl::status_text(status_of(json::array({idle()})), false) ==
        "edge  Initialize  eth0 VRID 51 IPv4, since 12 min\n"
        "    why       eth0 does not exist\n"
        "    priority  250\n"
        "    peer      none heard\n"
        "    addresses 192.0.2.1/24, 192.0.2.2/24, 192.0.2.3/24, 192.0.2.4/24, 192.0.2.5/24, 192.0.2.6/24, "
        "192.0.2.7/24, 192.0.2.8/24, and 2 more (not here)\n"
        "    lease     off: switched off in the configuration\n"
        "    conflict  somebody has 192.0.2.1 too: 1 time, 0.10 s ago for the last time\n");
}

TEST_CASE("status: a reload that waits to be confirmed comes first, with what will happen and when") {
  auto status = status_of(json::array({calm()}));
  status["goes_back_in_s"] = nullptr;
  CHECK(ctl::status_text(status, false).starts_with("edge  Active"));
  status["goes_back_in_s"] = 24.2;
  CHECK(ctl::status_text(status, false)
            .starts_with("a reload waits to be confirmed: in 24 s it goes back to what was before it, "
                         "\"vipctl confirm\" keeps it\nedge  Active"));
}

TEST_CASE("status: checks, what interfaces discarded, and programs that did not stay") {
  auto status = status_of(json::array());
  status["checks"] = json::array({{{"name", "web/nginx"}, {"state", "down"}, {"detail", "503, wanted 200"}}});
  status["interfaces"]["eth0"]["discarded"] = {{"no_virtual_router", 5}};
  status["programs"]["router"]["restarts"] = 1;
  status["programs"]["monitor"] = {{"pid", 0}, {"restarts", 3}};
  CHECK(ctl::status_text(status, true) ==
        "no virtual routers are configured\n"
        "checks\n"
        "    \033[31mdown\033[0m  web/nginx  503, wanted 200\n"
        "discarded on eth0: 5 no_virtual_router\n"
        "the monitor program has been restarted 3 times\n"
        "the router program has been restarted 1 time\n");
}
