#include "ctl/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "conf/load.h"
#include "conf/print.h"
#include "conf/yaml.h"

namespace vipd::ctl {

namespace {

std::size_t count_of(const Diagnostics& diagnostics, Severity severity) {
  return static_cast<std::size_t>(std::count_if(diagnostics.all().begin(), diagnostics.all().end(),
                                                [=](const auto& each) { return each.severity == severity; }));
}

std::string summary(const conf::Loaded& loaded) {
  const auto errors = count_of(loaded.diagnostics, Severity::error);
  const auto warnings = count_of(loaded.diagnostics, Severity::warning);
  const auto and_warnings = warnings == 0 ? "" : ", " + conf::counted(warnings, "warning");
  if (!loaded.config) return conf::counted(errors, "error") + and_warnings;
  return "ok, " + conf::summary(*loaded.config) + and_warnings;
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

bool is_standard_input(const std::string& file) {
  return file == "-" || file == "/dev/stdin";
}

// Reads one byte more than is allowed, which shows that the text is too long.
std::string read_standard_input() {
  std::string text(conf::largest_text + 1, '\0');
  std::cin.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::cin.gcount()));
  return text;
}

// The findings so far, of all files and nodes.
class Findings {
 public:
  Findings(bool json, std::ostream& out, std::ostream& err) : json_(json), out_(out), err_(err) {}

  void check(const std::string& file, const std::string& node) {
    const auto loaded = load(file, node);
    if (!loaded) return unreadable(file, loaded.error());
    if (!node.empty() || loaded->nodes.empty()) return add(file, node, *loaded);
    for (const auto& each : loaded->nodes) check(file, each);
  }

  int end() {
    // A file name need not be UTF-8, JSON must be.
    if (json_) out_ << list_.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
    return exit_code_;
  }

 private:
  Result<conf::Loaded> load(const std::string& file, const std::string& node) {
    const auto surroundings = conf::surroundings_of_this_process(node);
    if (!is_standard_input(file)) return conf::load_file(file, surroundings);
    if (!standard_input_) standard_input_ = read_standard_input();
    return conf::load_text("<stdin>", *standard_input_, surroundings);
  }

  void unreadable(const std::string& file, const Error& error) {
    exit_code_ = check_unreadable;
    list_.push_back(to_json(file, {Severity::error, {}, error.message, ""}));
    if (!json_) err_ << "vipctl: " << error.message << "\n";
  }

  // Reports a diagnostic once, even if it concerns several nodes.
  void add(const std::string& file, const std::string& node, const conf::Loaded& loaded) {
    if (!loaded.config) exit_code_ = std::max(exit_code_, check_errors);
    const auto& diagnostics = loaded.diagnostics;
    const bool is_new = reported_.insert(diagnostics.render()).second;
    if (is_new)
      for (auto& each : list_of(diagnostics)) list_.push_back(std::move(each));
    if (json_) return;
    if (is_new) err_ << diagnostics.render();
    const auto name = node.empty() ? file : fmt::format("{} (node {})", file, node);
    (loaded.config ? out_ : err_) << name << ": " << summary(loaded) << "\n";
  }

  bool json_;
  std::ostream& out_;
  std::ostream& err_;
  int exit_code_ = check_ok;
  std::optional<std::string> standard_input_;
  nlohmann::ordered_json list_ = nlohmann::ordered_json::array();
  std::set<std::string> reported_;
};

}  // namespace

nlohmann::ordered_json list_of(const Diagnostics& diagnostics) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& each : diagnostics.all()) list.push_back(to_json(diagnostics.file(each.place.file), each));
  return list;
}

int check(const std::vector<std::string>& files, const std::string& node, bool json, std::ostream& out,
          std::ostream& err) {
  Findings findings(json, out, err);
  for (const auto& file : files) findings.check(file, node);
  return findings.end();
}

}  // namespace vipd::ctl
