// Line: one line of a recording, split into its parts: a time, a word, positional arguments, and key=value
// fields. Each part is checked when it is requested, and an error says what is wrong; a part that was never
// requested is an error too.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"

namespace vipd::record {

// A text as the value of a field: in quotes if necessary.
std::string quoted(const std::string& text);

class Line {
 public:
  // # begins a comment, up to the end of the line. An empty line has an empty word.
  static Result<Line> parse(std::string_view text);

  Duration time() const { return time_; }  // since the recording begins
  const std::string& word() const { return word_; }

  // Each returns an error if the part is missing or invalid.
  Result<std::string> next(const std::string& what);  // the arguments after the word, one by one
  Result<std::string> text(const std::string& key);
  Result<std::int64_t> number(const std::string& key, std::int64_t least, std::int64_t most);
  Result<bool> boolean(const std::string& key);
  Result<Duration> duration(const std::string& key, Duration least, Duration most);
  Result<Duration> moment(const std::string& key);  // seconds since the recording begins, may be negative
  Result<std::vector<std::string>> list(const std::string& key);  // separated by commas; may be empty

  std::vector<std::string> fields_that_begin_with(const std::string& beginning) const;

  bool has(const std::string& key) const { return find(key) != nullptr; }
  Result<> finish() const;  // an error if a part was not requested

 private:
  const std::string* find(const std::string& key) const;

  Duration time_{};
  std::string word_;
  std::vector<std::string> rest_;
  std::size_t taken_ = 0;
  std::vector<std::pair<std::string, std::string>> fields_;  // in the order of the line
  std::set<std::string> asked_;
};

// "3.609375000", and back: at most nine decimals, at most a thousand million seconds.
std::string seconds(Duration duration);
Result<Duration> parse_seconds(std::string_view text);
Result<std::int64_t> parse_number(std::string_view text);

}  // namespace vipd::record
