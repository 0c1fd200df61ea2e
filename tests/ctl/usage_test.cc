#include "ctl/usage.h"

#include <doctest/doctest.h>

#include <vector>

using namespace vipd;

namespace {
// What a program with two commands says to this command line.
std::string said(const std::vector<const char*>& arguments) {
  CLI::App app{"", "vipctl"};
  std::string value;
  app.add_option("--run-dir", value);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_subcommand("status");
  app.add_subcommand("explain")->add_option("router", value)->required();
  std::vector<const char*> all{"/usr/bin/vipctl"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  try {
    app.parse(static_cast<int>(all.size()), all.data());
  } catch (const CLI::ParseError& error) {
    return ctl::usage_error(app, error);
  }
  return "";
}
}  // namespace

TEST_CASE("a command line that makes no sense is told in one line, with where to look") {
  CHECK(said({"status"}).empty());
  CHECK(said({}) == "a command is missing; vipctl --help lists them");
  CHECK(said({"dance"}) == "there is no command \"dance\"; vipctl --help lists them");
  CHECK(said({"stauts"}) ==
        "there is no command \"stauts\": did you mean \"status\"? vipctl --help lists them");
  CHECK(said({"status", "--foo"}) == "there is no option \"--foo\"; vipctl status --help lists them");
  CHECK(said({"--foo"}) == "there is no option \"--foo\"; vipctl --help lists them");
  CHECK(said({"status", "edge"}) ==
        "\"edge\" is more than can be given; vipctl status --help lists what is wanted");
  CHECK(said({"explain"}) == "router is missing; vipctl explain --help lists what is wanted");
  CHECK(said({"--run-dir"}) == "--run-dir needs a value; vipctl --help lists the options");
}
