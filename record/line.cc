#include "record/line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

#include "base/words.h"

namespace vipd::record {

namespace {
constexpr std::int64_t longest_seconds = 1'000'000'000;
constexpr std::int64_t second = 1'000'000'000;

bool is_plain(char each) {
  return each > ' ' && each < 0x7f && each != '"' && each != '#' && each != '=' && each != '\\';
}

bool is_control(char each) {
  return static_cast<unsigned char>(each) < ' ';
}

// Takes the text up to the next blank outside quotes, without its quotes and escapes.
Result<std::string> take_token(std::string_view& rest) {
  std::string token;
  bool inside = false;
  std::size_t i = 0;
  for (; i < rest.size(); ++i) {
    const char each = rest[i];
    const bool blank = !inside && (each == ' ' || each == '\t' || each == '\r');
    if (is_control(each) && !blank)
      return failure("a text contains a control character: remove it, or write \\n for a line break");
    if (each == '"') {
      inside = !inside;
    } else if (each == '\\' && inside) {
      ++i;
      if (i == rest.size() || is_control(rest[i])) break;
      token += rest[i] == 'n' ? '\n' : rest[i];
    } else if (blank || (!inside && each == '#')) {
      break;
    } else {
      token += each;
    }
  }
  if (inside) return failure("a quote is not closed: end the text with \"");
  rest.remove_prefix(i);
  return token;
}

void skip_blanks(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(" \t\r");
  rest.remove_prefix(begin == std::string_view::npos ? rest.size() : begin);
  if (!rest.empty() && rest.front() == '#') rest = {};
}
}  // namespace

std::string quoted(const std::string& text) {
  bool plain = !text.empty();
  std::string inside;
  for (const char each : text) {
    // A question mark replaces a control character.
    const char shown = is_control(each) && each != '\n' ? '?' : each;
    plain = plain && is_plain(shown);
    if (shown == '"' || shown == '\\') inside += '\\';
    inside += shown == '\n' ? "\\n" : std::string(1, shown);
  }
  return plain ? inside : "\"" + inside + "\"";
}

std::string seconds(Duration duration) {
  const auto count = duration.count();
  const auto magnitude = count < 0 ? -static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  return fmt::format("{}{}.{:09d}", count < 0 ? "-" : "", magnitude / second, magnitude % second);
}

Result<std::int64_t> parse_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return failure(quote(text) + " is not a number: write decimal digits");
  return value;
}

Result<Duration> parse_seconds(std::string_view text) {
  const auto bad = failure(quote(text) + " is not a time: write seconds, such as 3.609375");
  const bool negative = text.starts_with('-');
  const auto digits = text.substr(negative ? 1 : 0);
  const auto dot = digits.find('.');
  const auto whole_text = digits.substr(0, dot);
  const auto fraction_text = dot == std::string_view::npos ? std::string_view("0") : digits.substr(dot + 1);
  if (whole_text.empty() || whole_text.find_first_not_of("0123456789") != std::string_view::npos ||
      fraction_text.empty() || fraction_text.size() > 9 ||
      fraction_text.find_first_not_of("0123456789") != std::string_view::npos)
    return bad;
  const auto whole = parse_number(whole_text);
  if (!whole || *whole > longest_seconds) return bad;
  std::int64_t nanoseconds = 0;
  for (std::size_t i = 0; i < 9; ++i)
    nanoseconds = nanoseconds * 10 + (i < fraction_text.size() ? fraction_text[i] - '0' : 0);
  const auto total = *whole * second + nanoseconds;
  return Duration{negative ? -total : total};
}

Result<Line> Line::parse(std::string_view text) {
  Line line;
  skip_blanks(text);
  if (text.empty()) return line;
  const auto time = TRY(take_token(text));
  line.time_ = TRY(parse_seconds(time));
  if (line.time_ < Duration::zero())
    return failure("the time is negative: write the seconds since the beginning of the recording");
  skip_blanks(text);
  line.word_ = TRY(take_token(text));
  if (line.word_.empty()) return failure("the line has only a time: add a word such as tick or packet");
  for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
    // Only an equals sign outside quotes makes a field.
    const auto name_end = text.find_first_of("=\" \t");
    const bool is_field = name_end != std::string_view::npos && name_end > 0 && text[name_end] == '=';
    if (!is_field) {
      line.rest_.push_back(TRY(take_token(text)));
      continue;
    }
    const std::string key(text.substr(0, name_end));
    text.remove_prefix(name_end + 1);
    if (line.has(key)) return failure(fmt::format("duplicate field {}: remove one", quote(key)));
    line.fields_.emplace_back(key, TRY(take_token(text)));
  }
  return line;
}

const std::string* Line::find(const std::string& key) const {
  for (const auto& [name, value] : fields_)
    if (name == key) return &value;
  return nullptr;
}

Result<std::string> Line::next(const std::string& what) {
  if (taken_ == rest_.size())
    return failure(fmt::format("{} is missing after {}: write it before the fields", what, quote(word_)));
  return rest_[taken_++];
}

Result<std::string> Line::text(const std::string& key) {
  asked_.insert(key);
  const auto* found = find(key);
  if (!found) return failure(fmt::format("{} is missing: write {}=...", key, key));
  return *found;
}

Result<std::int64_t> Line::number(const std::string& key, std::int64_t least, std::int64_t most) {
  const auto value = parse_number(TRY(text(key)));
  if (!value) return failure(fmt::format("{}: {}", key, value.error().message));
  if (*value < least || *value > most)
    return failure(fmt::format("{} must be {} to {}, not {}", key, least, most, *value));
  return *value;
}

Result<bool> Line::boolean(const std::string& key) {
  const auto value = TRY(text(key));
  if (value != "true" && value != "false")
    return failure(fmt::format("{} must be true or false, not {}", key, quote(value)));
  return value == "true";
}

Result<Duration> Line::duration(const std::string& key, Duration least, Duration most) {
  const auto value = parse_duration(TRY(text(key)));
  if (!value) return failure(fmt::format("{}: {}", key, value.error().message));
  if (*value < least || *value > most)
    return failure(fmt::format("{} must be {} to {}, not {}", key, vipd::to_string(least),
                               vipd::to_string(most), vipd::to_string(*value)));
  return *value;
}

Result<Duration> Line::moment(const std::string& key) {
  const auto value = parse_seconds(TRY(text(key)));
  if (!value) return failure(fmt::format("{}: {}", key, value.error().message));
  return *value;
}

Result<std::vector<std::string>> Line::list(const std::string& key) {
  const auto all = TRY(text(key));
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < all.size();) {
    const auto end = std::min(all.find(',', begin), all.size());
    parts.push_back(all.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<std::string> Line::fields_that_begin_with(const std::string& beginning) const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : fields_)
    if (key.starts_with(beginning)) keys.push_back(key);
  return keys;
}

Result<> Line::finish() const {
  if (taken_ < rest_.size())
    return failure(fmt::format("unexpected {} after {}: remove it", quote(rest_[taken_]), quote(word_)));
  for (const auto& [key, value] : fields_) {
    if (asked_.contains(key)) continue;
    const std::vector<std::string> known(asked_.begin(), asked_.end());
    const auto similar = did_you_mean(key, known);
    return failure(fmt::format("unknown field {} of {}: {}", quote(key), quote(word_),
                               !similar.empty() ? similar
                               : known.empty()  ? "it has no fields"
                                                : fmt::format("its fields are {}", fmt::join(known, ", "))));
  }
  return {};
}

}  // namespace vipd::record
