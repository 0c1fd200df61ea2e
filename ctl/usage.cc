#include "ctl/usage.h"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/usage.h"
#include "base/words.h"

namespace vipd::ctl {

namespace {
using Words = std::vector<std::string>;

std::string unknown(const std::string& what, const std::string& word, const Words& known,
                    const std::string& program) {
  const auto meant = did_you_mean(word, known);
  return fmt::format("there is no {} {}{} {} --help lists them", what, quote(word),
                     meant.empty() ? ";" : ": " + meant, program);
}

void add_options(Words& known, CLI::App& app) {
  for (const auto* option : app.get_options())
    if (!option->get_group().empty())  // hidden ones have no group
      for (const auto& name : option->get_lnames()) known.push_back("--" + name);
}
}  // namespace

std::string usage_error(CLI::App& app, const CLI::ParseError& error) {
  const Misuse misuse{error.get_name(), error.what(), app.remaining(true)};
  const auto commands = app.get_subcommands();
  const auto program =
      commands.empty() ? app.get_name() : app.get_name() + " " + commands.front()->get_name();
  const bool is_option = !misuse.unknown.empty() && misuse.unknown.front().starts_with('-');
  if (is_option) {
    Words known;
    add_options(known, app);
    if (!commands.empty()) add_options(known, *commands.front());
    const auto word = misuse.unknown.front();
    return unknown("option", word.substr(0, word.find('=')), known, program);
  }
  if (!commands.empty()) return describe(misuse, program);
  if (misuse.unknown.empty() && misuse.kind == "RequiredError")
    return "a command is missing; " + program + " --help lists them";
  if (misuse.unknown.empty()) return describe(misuse, program);
  Words known;
  for (const auto* each : app.get_subcommands({})) known.push_back(each->get_name());
  return unknown("command", misuse.unknown.front(), known, program);
}

}  // namespace vipd::ctl
