#include "ctl/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "conf/build.h"
#include "conf/load.h"

namespace vipd::ctl {

namespace {

std::string counted(std::size_t count, const std::string& thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::size_t count_of(const Diagnostics& diagnostics, Severity severity) {
  return static_cast<std::size_t>(std::count_if(diagnostics.all().begin(), diagnostics.all().end(),
                                                [=](const auto& each) { return each.severity == severity; }));
}

std::string summary(const conf::Loaded& loaded) {
  const auto errors = count_of(loaded.diagnostics, Severity::error);
  const auto warnings = count_of(loaded.diagnostics, Severity::warning);
  const auto and_warnings = warnings == 0 ? "" : ", " + counted(warnings, "warning");
  if (!loaded.config) return counted(errors, "error") + and_warnings;
  const auto& config = *loaded.config;
  return "ok, " + counted(config.virtual_routers.size(), "virtual router") + ", " +
         counted(config.virtual_servers.size(), "virtual server") + ", " +
         counted(conf::checks(config).size(), "check") + and_warnings;
}

nlohmann::ordered_json to_json(const std::string& file, const Diagnostic& diagnostic) {
  const bool somewhere = diagnostic.place.line > 0;
  return {{"file", file},
          {"line", diagnostic.place.line},
          {"column", somewhere ? diagnostic.place.column : 0},
          {"severity", diagnostic.severity == Severity::error ? "error" : "warning"},
          {"message", diagnostic.message},
          {"remedy", diagnostic.remedy}};
}

}  // namespace

int check(const std::vector<std::string>& files, bool json, std::ostream& out, std::ostream& err) {
  int exit_code = check_ok;
  auto list = nlohmann::ordered_json::array();
  for (const auto& file : files) {
    const auto loaded = conf::load_file(file);
    if (!loaded) {
      exit_code = check_unreadable;
      list.push_back(to_json(file, {Severity::error, {}, loaded.error().message, ""}));
      if (!json) err << "vipctl: " << loaded.error().message << "\n";
      continue;
    }
    if (!loaded->config) exit_code = std::max(exit_code, check_errors);
    for (const auto& each : loaded->diagnostics.all()) list.push_back(to_json(file, each));
    if (json) continue;
    err << loaded->diagnostics.render();
    (loaded->config ? out : err) << file << ": " << summary(*loaded) << "\n";
  }
  // A file name need not be UTF-8, JSON must be.
  if (json) out << list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  return exit_code;
}

}  // namespace vipd::ctl
