#include "base/words.h"

#include <algorithm>
#include <vector>

namespace vipd {

namespace {

constexpr std::size_t longest_quote = 60;

char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// The number of edits between two words. An edit inserts, deletes, replaces or swaps letters.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> before_previous(to.size() + 1);
  std::vector<std::size_t> previous(to.size() + 1);
  std::vector<std::size_t> current(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) current[j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::swap(before_previous, previous);
    std::swap(previous, current);
    current[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const bool same = from[i - 1] == to[j - 1];
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        current[j] = std::min(current[j], before_previous[j - 2] + 1);
    }
  }
  return current[to.size()];
}

}  // namespace

std::string to_ascii(std::string_view text) {
  std::string ascii;
  for (const char each : text) {
    const auto octet = static_cast<unsigned char>(each);
    const bool continues_character = (octet & 0xc0) == 0x80;
    if (continues_character) continue;
    if (each == '\t')
      ascii += ' ';
    else
      ascii += octet >= 0x20 && octet < 0x7f ? each : '?';
  }
  return ascii;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) letter = to_lower(letter);
  return lower;
}

std::string quote(std::string_view text) {
  std::string ascii = to_ascii(text.substr(0, 4 * (longest_quote + 1)));
  if (ascii.size() > longest_quote) ascii = ascii.substr(0, longest_quote - 3) + "...";
  return "\"" + ascii + "\"";
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  // Names are short and few. Longer words would cost the product of their lengths, for each of many errors.
  constexpr std::size_t longest_word = 64;
  constexpr std::size_t most_candidates = 1000;
  if (word.size() > longest_word) return std::nullopt;
  const auto wanted = to_lower(word);
  std::size_t best_distance = word.size() / 3 + 1;
  std::optional<std::string> best;
  for (const auto& candidate : candidates.first(std::min(candidates.size(), most_candidates))) {
    const auto longer = std::max(candidate.size(), word.size());
    const auto shorter = std::min(candidate.size(), word.size());
    if (longer - shorter >= best_distance) continue;
    const auto distance = edit_distance(wanted, to_lower(candidate));
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const auto near = nearest(word, candidates);
  return near ? "did you mean " + quote(*near) + "?" : std::string{};
}

}  // namespace vipd
