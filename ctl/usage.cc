#include "ctl/usage.h"

#include <fmt/format.h>

#include "base/document.h"

namespace vipd::ctl {

std::string usage_error(CLI::App& app, const CLI::ParseError& error) {
  const auto commands = app.get_subcommands();
  const std::string command = commands.empty() ? "" : commands.front()->get_name();
  const auto whole = app.get_name() + (command.empty() ? "" : " " + command);
  const auto said = [&](const std::string& what, const char* listed) {
    return fmt::format("{}; {} --help lists {}", what, whole, listed);
  };
  if (const auto unknown = app.remaining(true); !unknown.empty()) {
    const auto& first = unknown.front();
    if (first.starts_with('-')) return said(fmt::format("there is no option {}", quote(first)), "them");
    if (command.empty() && !app.get_subcommands({}).empty()) {
      std::vector<std::string> known;
      for (const auto* each : app.get_subcommands({})) known.push_back(each->get_name());
      const auto meant = did_you_mean(first, known);
      const auto what = "there is no command " + quote(first);
      return meant.empty() ? said(what, "them")
                           : fmt::format("{}: {} {} --help lists them", what, meant, whole);
    }
    return said(fmt::format("{} is more than can be given", quote(first)), "what is wanted");
  }
  const std::string what = error.what();
  if (error.get_name() == "ArgumentMismatch")
    return said(what.substr(0, what.find(':')) + " needs a value", "the options");
  if (error.get_name() == "RequiredError" && command.empty() && !app.get_subcommands({}).empty())
    return said("a command is missing", "them");
  if (error.get_name() == "RequiredError")
    return said(what.substr(0, what.find(' ')) + " is missing", "what is wanted");
  return said(what, "the options");
}

}  // namespace vipd::ctl
