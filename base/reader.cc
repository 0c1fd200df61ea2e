#include "base/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/words.h"

namespace vipd {

namespace {

std::string_view kind_of(const Node& node) {
  switch (node.type) {
    case Node::Type::null: return "empty";
    case Node::Type::scalar: return "a single value";
    case Node::Type::sequence: return "a list";
    case Node::Type::map: return "a map of keys";
  }
  return "";
}

// "a, b or c"
std::string join_or(std::span<const std::string> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Decimal digits without spaces or leading zeros; a minus sign is allowed.
bool is_decimal(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return is_digits(text) && (text.size() == 1 || text[0] != '0');
}

// The remedy for the number formats of YAML 1.1 that vipd does not accept.
std::string remedy_for_integer(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  if (digits.size() != text.size() && is_decimal(digits)) return "write " + digits;
  if (is_digits(digits) && digits.size() < 20) {
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return "numbers are decimal and have no leading zeros: write " + digits;
  }
  if (digits.starts_with("+") && is_decimal(digits.substr(1))) return "write " + digits.substr(1);
  if (digits.starts_with("0x") || digits.starts_with("0X") || digits.starts_with("0o")) {
    const int base = digits[1] == 'o' ? 8 : 16;
    std::int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data() + 2, end, value, base);
    if (error == std::errc{} && stopped == end) return fmt::format("numbers are decimal: write {}", value);
  }
  return {};
}

struct BooleanWord {
  std::string_view word;
  bool value;
};
constexpr BooleanWord boolean_words[] = {{"yes", true}, {"no", false}, {"on", true},   {"off", false},
                                         {"y", true},   {"n", false},  {"true", true}, {"false", false},
                                         {"1", true},   {"0", false}};

}  // namespace

Reader::Reader(const Node& node, Diagnostics& diagnostics, std::string what)
    : node_(node), diagnostics_(diagnostics), what_(std::move(what)) {
  if (node_.type == Node::Type::map) return;
  if (node_.type == Node::Type::null) {
    diagnostics_.error(node_.place, what_ + " is empty", "indent its keys below it");
    return;
  }
  const auto colon = node_.scalar.find(':');
  const bool colon_without_space = colon != std::string::npos && colon + 1 < node_.scalar.size() &&
                                   node_.scalar[colon + 1] != ' ' && node_.scalar[colon + 1] != '\n';
  diagnostics_.error(node_.place, fmt::format("{} must be a map of keys, not {}", what_, kind_of(node_)),
                     colon_without_space ? "put a space after the \":\" of each key" : "");
}

const Node::Entry* Reader::entry(std::string_view key) const {
  for (const auto& each : node_.entries)
    if (each.key == key) return &each;
  return nullptr;
}

const Node* Reader::child(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const auto* const found = entry(key);
  return found ? &found->value : nullptr;
}

bool Reader::has(std::string_view key) const {
  return entry(key) != nullptr;
}

const Node* Reader::scalar(std::string_view key, std::string_view wanted) {
  const Node* const node = child(key);
  if (!node) return nullptr;
  if (node->type == Node::Type::scalar) return node;
  if (node->type == Node::Type::null)
    diagnostics_.error(node->place, fmt::format("{} has no value: it must be {}", key, wanted));
  else
    diagnostics_.error(node->place, fmt::format("{} must be {}, not {}", key, wanted, kind_of(*node)));
  return nullptr;
}

std::optional<std::string> Reader::text(std::string_view key) {
  const Node* const node = scalar(key, "a string");
  if (!node) return std::nullopt;
  return node->scalar;
}

std::optional<bool> Reader::boolean(std::string_view key) {
  const Node* const node = scalar(key, "true or false");
  if (!node) return std::nullopt;
  if (!node->quoted && (node->scalar == "true" || node->scalar == "false")) return node->scalar == "true";
  std::string remedy;
  const auto word = to_lower(node->scalar);
  for (const auto& each : boolean_words)
    if (each.word == word)
      remedy = fmt::format("write {}{}", each.value, node->quoted ? " without quotes" : "");
  diagnostics_.error(node->place, fmt::format("{} must be true or false, not {}", key, quote(node->scalar)),
                     remedy);
  return std::nullopt;
}

std::optional<std::int64_t> Reader::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const auto range = fmt::format("{} to {}", least, most);
  const Node* const node = scalar(key, "a whole number from " + range);
  if (!node) return std::nullopt;
  const auto& digits = node->scalar;
  if (node->quoted || !is_decimal(digits)) {
    const auto remedy = node->quoted && is_decimal(digits) ? fmt::format("write {} without quotes", digits)
                                                           : remedy_for_integer(digits);
    diagnostics_.error(node->place,
                       fmt::format("{} must be a whole number from {}, not {}", key, range, quote(digits)),
                       remedy);
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto error = std::from_chars(digits.data(), digits.data() + digits.size(), value).ec;
  if (error == std::errc{} && value >= least && value <= most) return value;
  constexpr std::size_t longest_number = 20;
  const auto shown = digits.size() > longest_number ? digits.substr(0, longest_number) + "..." : digits;
  diagnostics_.error(node->place, fmt::format("{} must be {}, not {}", key, range, shown));
  return std::nullopt;
}

std::optional<Duration> Reader::duration(std::string_view key, Duration least, Duration most) {
  const auto range = fmt::format("{} to {}", to_string(least), to_string(most));
  const Node* const node = scalar(key, "a duration from " + range);
  if (!node) return std::nullopt;
  const auto value = parse_duration(node->scalar);
  if (!value) {
    diagnostics_.error(node->place, fmt::format("{}: {}", key, value.error().message));
    return std::nullopt;
  }
  if (*value >= least && *value <= most) return *value;
  diagnostics_.error(node->place, fmt::format("{} must be {}, not {}", key, range, to_string(*value)));
  return std::nullopt;
}

std::optional<IpAddress> Reader::address(std::string_view key) {
  const Node* const node = scalar(key, "an IPv4 or IPv6 address");
  if (!node) return std::nullopt;
  const auto address = IpAddress::parse(node->scalar);
  if (address) return *address;
  diagnostics_.error(node->place,
                     fmt::format("{} must be an IPv4 or IPv6 address, not {}", key, quote(node->scalar)));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Reader::texts(std::string_view key) {
  const Node* const node = child(key);
  if (!node) return std::nullopt;
  if (node->type == Node::Type::scalar) return std::vector{node->scalar};
  if (node->type != Node::Type::sequence) {
    diagnostics_.error(node->place,
                       fmt::format("{} {}", key,
                                   node->type == Node::Type::null
                                       ? "has no value: it must be a string or a list of strings"
                                       : "must be a string or a list of strings, not a map of keys"));
    return std::nullopt;
  }
  std::vector<std::string> texts;
  bool good = true;
  for (const auto& item : node->items) {
    if (item.type == Node::Type::scalar) {
      texts.push_back(item.scalar);
      continue;
    }
    diagnostics_.error(item.place,
                       fmt::format("each item of {} must be a string, not {}", key, kind_of(item)));
    good = false;
  }
  if (!good) return std::nullopt;
  return texts;
}

std::optional<std::size_t> Reader::choice_index(std::string_view key, std::span<const std::string> names) {
  const Node* const node = scalar(key, join_or(names));
  if (!node) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), node->scalar);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  diagnostics_.error(node->place,
                     fmt::format("{} must be {}, not {}", key, join_or(names), quote(node->scalar)),
                     did_you_mean(node->scalar, names));
  return std::nullopt;
}

void Reader::required(std::string_view key) {
  if (node_.type == Node::Type::map && !has(key)) missing_.emplace_back(key);
}

void Reader::reserved(std::string_view key, std::string_view why) {
  hidden_.emplace_back(key);
  if (const auto* const found = entry(key))
    diagnostics_.error(found->key_place, fmt::format("{} is not supported yet", quote(key)),
                       std::string(why));
}

void Reader::foreign(std::string_view key, std::string_view remedy) {
  hidden_.emplace_back(key);
  if (const auto* const found = entry(key))
    diagnostics_.error(found->key_place, fmt::format("unknown key {} in {}", quote(key), what_),
                       std::string(remedy));
}

void Reader::finish() {
  const auto among = [](const std::vector<std::string>& names, const std::string& key) {
    return std::find(names.begin(), names.end(), key) != names.end();
  };
  for (const auto& each : node_.entries) {
    if (among(known_, each.key) || among(hidden_, each.key)) continue;
    const auto meant = nearest(each.key, known_);
    if (meant) std::erase(missing_, *meant);
    auto remedy = did_you_mean(each.key, known_);
    if (remedy.empty() && !known_.empty()) remedy = fmt::format("valid keys: {}", fmt::join(known_, ", "));
    diagnostics_.error(each.key_place, fmt::format("unknown key {} in {}", quote(each.key), what_), remedy);
  }
  for (const auto& key : missing_)
    diagnostics_.error(node_.place, fmt::format("{} has no {}", what_, key),
                       fmt::format("add \"{}:\" to it", key));
}

void Reader::error(std::string_view key, std::string message, std::string remedy) {
  const auto* const found = entry(key);
  diagnostics_.error(found ? found->value.place : node_.place, std::move(message), std::move(remedy));
}

}  // namespace vipd
