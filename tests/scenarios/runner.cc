// Plays scenarios and compares their timelines with the text below the line of dashes.
//
//   scenario_tests [--rewrite] [PATTERN]      also VIPD_REWRITE=1: writes the timelines into the files
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/scenarios/script.h"

namespace {
using namespace vipd;

const std::string separator = "----\n";

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void print_difference(const std::string& expected, const std::string& actual) {
  const auto old_lines = lines_of(expected);
  const auto new_lines = lines_of(actual);
  std::size_t same = 0;
  while (same < old_lines.size() && same < new_lines.size() && old_lines[same] == new_lines[same]) ++same;
  std::size_t tail = 0;
  while (tail < old_lines.size() - same && tail < new_lines.size() - same &&
         old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail])
    ++tail;
  for (auto i = same - std::min<std::size_t>(same, 3); i < same; ++i) fmt::print("  {}\n", old_lines[i]);
  for (auto i = same; i < old_lines.size() - tail; ++i) fmt::print("- {}\n", old_lines[i]);
  for (auto i = same; i < new_lines.size() - tail; ++i) fmt::print("+ {}\n", new_lines[i]);
}

bool passes(const std::filesystem::path& path, bool rewrite) {
  const auto text = read(path);
  const auto cut = text.find("\n" + separator);
  const auto script = cut == std::string::npos ? text : text.substr(0, cut + 1);
  const auto expected = cut == std::string::npos ? "" : text.substr(cut + 1 + separator.size());
  const auto actual = scenarios::play(script);
  if (!actual) {
    fmt::print("{}: {}\n", path.string(), actual.error().message);
    return false;
  }
  if (*actual == expected) return true;
  if (rewrite) {
    std::ofstream(path) << script << separator << *actual;
    fmt::print("{}: rewritten\n", path.string());
    return true;
  }
  fmt::print("{}: the timeline differs (-expected +actual)\n", path.string());
  print_difference(expected, *actual);
  return false;
}
}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  const auto* environment = std::getenv("VIPD_REWRITE");
  bool rewrite = environment && std::string(environment) == "1";
  std::string pattern;
  for (const auto& word : words)
    if (word == "--rewrite")
      rewrite = true;
    else
      pattern = word;

  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(SOURCE_DIR "/tests/scenarios"))
    if (entry.path().extension() == ".txt" &&
        entry.path().filename().string().find(pattern) != std::string::npos)
      paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  const auto failed =
      std::count_if(paths.begin(), paths.end(), [&](const auto& path) { return !passes(path, rewrite); });
  fmt::print("{} scenarios, {} failed\n", paths.size(), failed);
  return failed == 0 && !paths.empty() ? 0 : 1;
}
