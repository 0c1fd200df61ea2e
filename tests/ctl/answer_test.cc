#include "ctl/answer.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "ctl/events.h"
#include "ctl/show.h"
#include "ctl/upgrade.h"

using namespace vipd;
using nlohmann::json;

TEST_CASE("a reply is its result, or the reason why there is none") {
  CHECK(ctl::parse_reply(R"({"ok": true, "result": {"a": 1}})") == json{{"a", 1}});
  CHECK(ctl::parse_reply(R"({"ok": true})")->is_null());
  const auto refused = ctl::parse_reply(R"({"ok": false, "error": "no such router"})");
  CHECK(refused.error().message == "no such router");
  CHECK(refused.error().code == 0);
  const auto not_permitted = ctl::parse_reply(R"({"ok": false, "permitted": false, "error": "not you"})");
  CHECK(not_permitted.error().message == "not you");
  CHECK(not_permitted.error().code == EPERM);
}

TEST_CASE("anything that is not a reply is an error") {
  CHECK(ctl::parse_reply("HTTP/1.0 400").error().message ==
        "the answer of vipd is not a JSON object: use the vipctl that belongs to the running vipd");
  CHECK(ctl::parse_reply("[]").error().code == EPROTO);
  for (const auto* line : {"{}", R"({"ok": "true"})", R"({"ok": 1})", R"({"ok": false, "error": 7})"})
    CHECK(ctl::parse_reply(line).error().message == "vipd refused without giving a reason: see its log");
  CHECK(ctl::parse_event(R"({"event": 7})").is_null());
  CHECK(ctl::parse_event("x").is_null());
}

// While a package is upgraded, the new vipctl asks the old vipd.
TEST_CASE("a status of another version is shown as far as it goes") {
  const json status{{"routers", {{{"name", "edge"}, {"state", "Active"}, {"vrid", "51"}}, 7}},
                    {"checks", {{{"name", "web/nginx"}}}},
                    {"programs", {{"router", {{"pid", 1}, {"restarts", 2}}}}}};
  const auto text = ctl::status_text(status, false);
  CHECK(text.find("edge  Active") == 0);
  CHECK(text.find("peer      none heard") != std::string::npos);
  CHECK(text.find("web/nginx") != std::string::npos);
  CHECK(text.find("the router program has been restarted 2 times") != std::string::npos);
  for (const json& odd :
       {json(), json(7), json::array({1}), json{{"routers", 7}, {"interfaces", {1, 2}}, {"programs", "x"}}})
    CHECK(ctl::status_text(odd, false).find("no virtual routers are configured") == 0);
  CHECK(ctl::explanation_text(json{{"a", 1}}).empty());
  CHECK(ctl::upgrade_summary(json(), json(7))["changed"].empty());
}

TEST_CASE("output of services and scripts cannot control the terminal") {
  const json status{
      {"checks", {{{"name", "web"}, {"state", "up"}, {"detail", "\033]0;x\a\n\u009b2J \u00e4"}}}}};
  CHECK(ctl::status_text(status, false).find("?]0;x? ?2J \u00e4\n") != std::string::npos);
  const json event{
      {"time", "2026-11-21T12:00:00Z"}, {"severity", "P1"}, {"event", "x\a"}, {"text", "a\rb\x7f"}};
  CHECK(ctl::event_line(event, false) == "2026-11-21T12:00:00.000Z P1 x? a?b?\n");
}
