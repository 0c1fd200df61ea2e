#include "base/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/words.h"

namespace vipd {

namespace {
constexpr std::size_t widest_excerpt = 100;       // characters of a source line to show
constexpr std::size_t excerpt_before_place = 40;  // characters before the place if the line is cut
constexpr std::size_t most_rendered = 100;
}  // namespace

Diagnostics::Diagnostics(std::string file, std::string source) {
  add_file(std::move(file), std::move(source));
}

int Diagnostics::add_file(std::string file, std::string source) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (source.starts_with(byte_order_mark)) source.erase(0, byte_order_mark.size());
  std::vector<std::size_t> line_starts{0};
  for (std::size_t i = 0; i < source.size(); ++i)
    if (source[i] == '\n') line_starts.push_back(i + 1);
  files_.push_back(
      std::make_unique<const File>(File{std::move(file), std::move(source), std::move(line_starts)}));
  return static_cast<int>(files_.size()) - 1;
}

const std::string& Diagnostics::file(int number) const {
  return files_.at(static_cast<std::size_t>(number))->name;
}

const std::string& Diagnostics::source(int number) const {
  return files_.at(static_cast<std::size_t>(number))->source;
}

std::string Diagnostics::where(const Place& place, const Place& from) const {
  return place.file == from.file ? fmt::format("line {}", place.line)
                                 : fmt::format("{}:{}", file(place.file), place.line);
}

void Diagnostics::error(Place place, std::string message, std::string remedy) {
  add(Severity::error, place, std::move(message), std::move(remedy));
}

void Diagnostics::warning(Place place, std::string message, std::string remedy) {
  add(Severity::warning, place, std::move(message), std::move(remedy));
}

void Diagnostics::add(Severity severity, Place place, std::string message, std::string remedy) {
  if (spoilt_.contains({place.file, place.line, place.column})) return;
  const auto comes_before = [](const Place& new_place, const Diagnostic& old) {
    return std::tuple(new_place.file, new_place.line, new_place.column) <
           std::tuple(old.place.file, old.place.line, old.place.column);
  };
  const auto position = std::upper_bound(diagnostics_.begin(), diagnostics_.end(), place, comes_before);
  diagnostics_.insert(position, {severity, place, std::move(message), std::move(remedy)});
}

void Diagnostics::spoil(const Place& place) {
  if (place.line > 0) spoilt_.insert({place.file, place.line, place.column});
}

bool Diagnostics::has_errors() const {
  return std::any_of(diagnostics_.begin(), diagnostics_.end(),
                     [](const Diagnostic& each) { return each.severity == Severity::error; });
}

std::string Diagnostics::render() const {
  std::string text;
  const auto shown = std::min(diagnostics_.size(), most_rendered);
  for (std::size_t i = 0; i < shown; ++i) text += render(diagnostics_[i]);
  if (shown < diagnostics_.size())
    text += fmt::format("{}: and {} more\n", file(), diagnostics_.size() - shown);
  return text;
}

std::string Diagnostics::render(const Diagnostic& diagnostic) const {
  const auto& place = diagnostic.place;
  const bool somewhere = place.line > 0;
  const auto& file = *files_.at(static_cast<std::size_t>(place.file));
  std::string text = file.name;
  if (somewhere) text += fmt::format(":{}:{}", place.line, place.column);
  text += fmt::format(": {}: {}\n", diagnostic.severity == Severity::error ? "error" : "warning",
                      to_ascii(diagnostic.message));

  const auto number = std::to_string(place.line);
  const std::string margin(std::max<std::size_t>(number.size(), 4) + 1, ' ');
  if (somewhere && static_cast<std::size_t>(place.line) <= file.line_starts.size()) {
    const auto start = file.line_starts[static_cast<std::size_t>(place.line) - 1];
    auto line = std::string_view(file.source).substr(start);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto excerpt = to_ascii(line);
    auto caret = std::min(static_cast<std::size_t>(std::max(place.column, 1)) - 1, excerpt.size());
    auto underlined = static_cast<std::size_t>(std::max(place.length, 1));
    if (excerpt.size() > widest_excerpt) {
      const std::size_t cut = caret > widest_excerpt / 2 ? caret - excerpt_before_place : 0;
      excerpt.erase(0, cut);
      caret -= cut;
      if (cut > 0) excerpt.replace(0, 3, "...");
      if (excerpt.size() > widest_excerpt) excerpt.replace(widest_excerpt - 3, std::string::npos, "...");
    }
    underlined =
        std::min(underlined, std::max<std::size_t>(excerpt.size() - std::min(caret, excerpt.size()), 1));
    text += fmt::format("{:>{}} |{}{}\n", number, margin.size() - 1, excerpt.empty() ? "" : " ", excerpt);
    text += fmt::format("{}| {}^{}\n", margin, std::string(caret, ' '), std::string(underlined - 1, '~'));
  }
  if (!diagnostic.remedy.empty()) text += margin + to_ascii(diagnostic.remedy) + "\n";
  return text;
}

}  // namespace vipd
