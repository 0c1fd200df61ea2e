#include "conf/entries.h"
#include "base/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::conf {

namespace {
constexpr std::size_t longest_name = 32;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           each == '_' || each == '-';
  });
}
}  // namespace

void for_entries(const Node& map, Diagnostics& diagnostics, const std::string& what,
                 const std::string& what_entry, const ReadEntry& read) {
  const Reader shape(map, diagnostics, what);  // reports a node that is not a map
  if (map.type == Node::Type::map && map.entries.empty())
    diagnostics.error(map.place, what + " is empty", "add an entry: NAME, and its keys below it");
  for (const auto& entry : map.entries) {
    const bool good = is_name(entry.key);
    if (!good)
      diagnostics.error(entry.key_place,
                        fmt::format("{} is not a valid name for a {}", quote(entry.key), what_entry),
                        fmt::format("use 1 to {} letters, digits, \"_\" or \"-\"", longest_name));
    read(good ? entry.key : quote(entry.key), entry.key_place, entry.value);
  }
}

std::string listed(const std::vector<std::string>& words, std::size_t most) {
  std::string text;
  const auto shown = std::min(words.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  if (shown < words.size()) text += fmt::format(" and {} more", words.size() - shown);
  return text;
}

}  // namespace vipd::conf
