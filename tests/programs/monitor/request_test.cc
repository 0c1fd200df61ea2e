#include "programs/monitor/request.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace vipd::programs;

TEST_CASE("a request has a command and the name of an entry") {
  const auto request = parse_request(R"({"v": 1, "command": "switch", "router": "edge", "back": true})");
  REQUIRE(request);
  CHECK(request->command == "switch");
  CHECK(request->router == "edge");
  CHECK(request->back);
  CHECK(request->is_command());
  CHECK(request->text() == "switch --back edge");
  CHECK_FALSE(parse_request(R"({"command": "status"})")->is_command());
}

TEST_CASE("an invalid request is refused with the reason") {
  const auto refusal = [](const std::string& line) { return parse_request(line).error().message; };
  for (const auto* line : {"", "status", "[1]", "null", "{", "{\"command\": \"\xff\"}"})
    CHECK(refusal(line) == "a request must be one JSON object on one line");
  CHECK(refusal(R"({"v": 2, "command": "status"})") == "this vipd has version 1 of the control protocol");
  CHECK(refusal(R"({"v": "1", "command": "status"})") == "this vipd has version 1 of the control protocol");
  CHECK(refusal(R"({"command": "dance"})") == "unknown command \"dance\"");
  CHECK(refusal(R"({"command": 7})") == "command must be a string");
  CHECK(refusal(R"({"command": "switch", "router": 5})") == "router must be a string");
  for (const auto* back : {"\"yes\"", "1", "null"})
    CHECK(refusal(std::string(R"({"command": "switch", "router": "edge", "back": )") + back + "}") ==
          "back must be true or false");
  CHECK(refusal(R"({"command": "events", "follow": "x"})") == "follow must be true or false");
  for (const auto* odd : {"7", "[7]", "{}"})
    CHECK(refusal(std::string(R"({"command": "configuration", "variables": )") + odd + "}") ==
          "variables must be a list of texts");
  CHECK(refusal(R"({"command": "reload", "confirm": null})") ==
        "confirm must be a string: how long to wait, such as 30s");
}

TEST_CASE("a name that a client makes up cannot forge a line of the log") {
  const auto text = [](const std::string& name) { return Request{"switch", name, false}.text(); };
  CHECK(text("edge\nvipd: all is well") == "switch \"edge?vipd: all is well\"");
  CHECK(text("\033[2J") == "switch \"?[2J\"");
  CHECK(text(std::string(10'000, 'x')).size() < 100);
  CHECK(parse_request("{\"command\": \"\\u001b[2J\"}").error().message == "unknown command \"?[2J\"");
}
