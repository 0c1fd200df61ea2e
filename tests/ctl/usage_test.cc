#include "ctl/usage.h"

#include <doctest/doctest.h>
#include <CLI/CLI.hpp>

#include <vector>

using namespace vipd;

namespace {
// The error of a program with two commands for this command line.
std::string said(const std::vector<const char*>& arguments) {
  CLI::App app{"", "vipctl"};
  std::string value;
  app.add_option("--run-dir", value);
  app.require_subcommand(1);
  app.fallthrough();
  bool flag = false;
  app.add_subcommand("status")->add_flag("--json", flag);
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

TEST_CASE("an invalid command line is reported in one line, with the nearest word and the place to look") {
  CHECK(said({"status"}).empty());
  CHECK(said({}) == "a command is missing; vipctl --help lists them");
  CHECK(said({"dance"}) == "there is no command \"dance\"; vipctl --help lists them");
  CHECK(said({"stauts"}) ==
        "there is no command \"stauts\": did you mean \"status\"? vipctl --help lists them");
  CHECK(said({"status", "--foo"}) == "there is no option \"--foo\"; vipctl status --help lists them");
  CHECK(said({"status", "--jsno"}) ==
        "there is no option \"--jsno\": did you mean \"--json\"? vipctl status --help lists them");
  CHECK(said({"status", "-json"}) ==
        "there is no option \"-json\": did you mean \"--json\"? vipctl status --help lists them");
  CHECK(said({"status", "--rundir=/run/x"}) ==
        "there is no option \"--rundir\": did you mean \"--run-dir\"? vipctl status --help lists them");
  CHECK(said({"--rn-dir", "x"}) ==
        "there is no option \"--rn-dir\": did you mean \"--run-dir\"? vipctl --help lists them");
  CHECK(said({"--foo"}) == "there is no option \"--foo\"; vipctl --help lists them");
  CHECK(said({"status", "edge"}) == "unexpected argument \"edge\"; vipctl status --help lists the arguments");
  CHECK(said({"explain"}) == "router is missing; vipctl explain --help lists the arguments");
  CHECK(said({"--run-dir"}) == "--run-dir needs a value; vipctl --help lists the options");
}
