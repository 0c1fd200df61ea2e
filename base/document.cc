#include "base/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace vipd {

namespace {

constexpr std::size_t widest_excerpt = 100;       // characters of a source line to show
constexpr std::size_t excerpt_before_place = 40;  // characters before the place if the line is cut
constexpr std::size_t longest_quote = 60;
constexpr std::size_t most_rendered = 100;

// One character per code point, so that columns stay right: printable ASCII unchanged, a tab as a space, and
// everything else (umlauts, terminal escapes, broken UTF-8) as a question mark.
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

char to_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) letter = to_lower(letter);
  return lower;
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

// --- Node

Node Node::text(std::string scalar) {
  Node node;
  node.type = Type::scalar;
  node.scalar = std::move(scalar);
  return node;
}

Node Node::list(std::vector<Node> items) {
  Node node;
  node.type = Type::sequence;
  node.items = std::move(items);
  return node;
}

Node Node::map(std::vector<std::pair<std::string, Node>> entries) {
  Node node;
  node.type = Type::map;
  for (auto& [key, value] : entries) node.entries.push_back({std::move(key), {}, std::move(value)});
  return node;
}

const Node* Node::find(std::string_view key) const {
  for (const auto& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

bool Node::operator==(const Node& other) const {
  if (type != other.type || scalar != other.scalar || items != other.items ||
      entries.size() != other.entries.size())
    return false;
  return std::all_of(entries.begin(), entries.end(), [&](const Entry& entry) {
    const Node* const same = other.find(entry.key);
    return same && *same == entry.value;
  });
}

// --- Diagnostics

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

// --- Reader

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
