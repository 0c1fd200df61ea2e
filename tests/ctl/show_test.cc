// The texts that vipctl prints for answers of vipd.
#include "ctl/show.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

using namespace vipd;
using nlohmann::json;

namespace {

// An Active without problems.
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

TEST_CASE("status: an Active without problems") {
  CHECK(ctl::status_text(status_of(json::array({calm()})), false) ==
        "edge  Active for 37 s  eth0 VRID 51 IPv4\n"
        "    why       no advertisement for 3.61 s\n"
        "    priority  250\n"
        "    peer      none heard\n"
        "    addresses 192.0.2.10/24 (here)\n"
        "    lease     on, expires in 250 ms\n");
}

TEST_CASE("status: shows every problem of a virtual router") {
  CHECK(ctl::status_text(status_of(json::array({troubled()})), false) ==
        "edge  Backup for 420 ms  eth0 VRID 51 IPv4\n"
        "    why       no advertisement for 3.61 s\n"
        "    priority  190 (configured 250)\n"
        "    peer      192.0.2.2, priority 200, heard 120 ms ago\n"
        "    addresses 192.0.2.10/24, 192.0.2.11/24 (1 of 2 here)\n"
        "    lease     on, expired 1.5 s ago, 17 packets dropped\n"
        "    switched  to the peer by command; vipctl switch --back edge\n"
        "    conflict  02:00:00:00:00:66 claims 192.0.2.10 (4 times, last 1 min 30 s ago)\n"
        "    one way   192.0.2.2 is Active too and does not hear this node\n"
        "    discarded 3 checksum, 2 version\n");
  CHECK(ctl::status_text(status_of(json::array({idle()})), false) ==
        "edge  Initialize for 12 min  eth0 VRID 51 IPv4\n"
        "    why       eth0 does not exist\n"
        "    priority  250\n"
        "    peer      none heard\n"
        "    addresses 192.0.2.1/24, 192.0.2.2/24, 192.0.2.3/24, 192.0.2.4/24,\n"
        "              192.0.2.5/24, 192.0.2.6/24, 192.0.2.7/24, 192.0.2.8/24, and 2 more\n"
        "              (not here)\n"
        "    lease     off: switched off in the configuration\n"
        "    conflict  another host claims 192.0.2.1 (1 time, last 100 ms ago)\n");
}

TEST_CASE("status: an unconfirmed reload comes first, with the time of its rollback") {
  auto status = status_of(json::array({calm()}));
  status["goes_back_in_s"] = nullptr;
  CHECK(ctl::status_text(status, false).starts_with("edge  Active"));
  status["goes_back_in_s"] = 24.2;
  CHECK(
      ctl::status_text(status, false)
          .starts_with("unconfirmed reload: rolls back in 24 s; \"vipctl confirm\" keeps it\nedge  Active"));
}

TEST_CASE("status: fits 80 columns with the longest names and IPv6 addresses, and loses nothing") {
  auto router = troubled();
  router["name"] = std::string(32, 'n');  // the longest
  router["interface"] = "enp129s0f1np1.9";
  router["family"] = "IPv6";
  router["since_s"] = 86399.0;
  router["reason"] = "fe80::5054:ff:fe12:3456 advertises priority 200, higher than our 190";
  router["peer"]["address"] = "fe80:1111:2222:3333:5054:00ff:fe12:3456";
  router["addresses"] = json::array();
  for (const char* each :
       {"fe80::10/64", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:10/64", "2001:db8:aaaa:bbbb::11/64"})
    router["addresses"].push_back({{"address", each}, {"present", true}});
  auto status = status_of(json::array({router}));
  status["checks"] = json::array({{{"name", std::string(32, 'n') + "/" + std::string(32, 'c')},
                                   {"state", "down"},
                                   {"detail", "https://service.example.com:8443/" + std::string(100, 'p')}}});
  const auto text = ctl::status_text(status, false);
  std::istringstream lines(text);
  std::string words;
  for (std::string line; std::getline(lines, line);) {
    CHECK_MESSAGE(line.size() <= 80, line);
    words += line;
  }
  std::erase(words, ' ');
  const auto shown = [&](std::string word) {
    std::erase(word, ' ');
    return words.find(word) != std::string::npos;
  };
  CHECK(shown(router["reason"].get<std::string>()));
  CHECK(shown("fe80::10/64, 2001:db8:aaaa:bbbb:cccc:dddd:eeee:10/64, 2001:db8:aaaa:bbbb::11/64 (here)"));
  CHECK(shown(status["checks"][0]["detail"].get<std::string>()));
  CHECK(text.starts_with(std::string(32, 'n') +
                         "\n    Backup for 23 h 59 min  enp129s0f1np1.9 VRID 51 IPv6\n"));
  for (const char* address :
       {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:10/64", "fe80:1111:2222:3333:5054:00ff:fe12:3456"})
    CHECK_MESSAGE(text.find(address) != std::string::npos, "an address is not broken: " << address);
}

TEST_CASE("status: a wide terminal is used, and a narrow one is not exceeded by ordinary lines") {
  const auto status = status_of(json::array({idle()}));
  CHECK(ctl::status_text(status, false, 200).find("192.0.2.8/24, and 2 more (not here)\n") !=
        std::string::npos);
  std::istringstream lines(ctl::status_text(status, false, 50));
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(line.size() <= 50, line);
}

TEST_CASE("status: colours only on request: Active green, Initialize yellow, a conflict red") {
  const auto status = status_of(json::array({calm(), troubled(), idle()}));
  CHECK(ctl::status_text(status, false).find('\033') == std::string::npos);
  const auto text = ctl::status_text(status, true);
  CHECK(text.find("edge  \033[32mActive\033[0m for 37 s") != std::string::npos);
  CHECK(text.find("edge  \033[36mBackup\033[0m for") != std::string::npos);
  CHECK(text.find("edge  \033[33mInitialize\033[0m for") != std::string::npos);
  CHECK(text.find("    conflict  \033[31m02:00:00:00:00:66 claims") != std::string::npos);
}

TEST_CASE("status: checks, discards of interfaces, and restarted programs") {
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
        "\033[33mthe monitor program is not running\033[0m\n"
        "\033[33mthe router program has been restarted 1 time\033[0m\n");
}
