#include "ctl/usage.h"

#include <fmt/format.h>

#include "base/document.h"
#include "base/usage.h"

namespace vipd::ctl {

namespace {
std::string no_command(const std::string& program, const std::string& word,
                       const std::vector<std::string>& known) {
  const auto what = "there is no command " + quote(word);
  const auto meant = did_you_mean(word, known);
  return meant.empty() ? fmt::format("{}; {} --help lists them", what, program)
                       : fmt::format("{}: {} {} --help lists them", what, meant, program);
}
}  // namespace

std::string usage_error(CLI::App& app, const CLI::ParseError& error) {
  const Misuse misuse{error.get_name(), error.what(), app.remaining(true)};
  if (const auto commands = app.get_subcommands(); !commands.empty())
    return describe(misuse, app.get_name() + " " + commands.front()->get_name());
  std::vector<std::string> known;
  for (const auto* each : app.get_subcommands({})) known.push_back(each->get_name());
  if (misuse.unknown.empty() && misuse.kind == "RequiredError")
    return "a command is missing; " + app.get_name() + " --help lists them";
  if (!misuse.unknown.empty() && !misuse.unknown.front().starts_with('-'))
    return no_command(app.get_name(), misuse.unknown.front(), known);
  return describe(misuse, app.get_name());
}

}  // namespace vipd::ctl
