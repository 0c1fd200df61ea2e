// SourceText: the text of a file, with the places that diagnostics show. It rejects what a parser should not
// see: bytes that are not UTF-8, control characters, tabs in the indentation, overlong lines, and the
// language of another program.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/node.h"

namespace vipd::conf {

// Converts offsets into lines and columns. yaml-cpp counts columns in bytes, diagnostics count characters.
class SourceText {
 public:
  SourceText(std::string_view text, int file) : text_(text), file_(file) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') line_starts_.push_back(i + 1);
  }

  std::string_view text() const { return text_; }

  Place place(std::size_t offset, std::size_t bytes = 1) const {
    offset = std::min(offset, text_.size());
    const auto next_line = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
    const auto line_start = *std::prev(next_line);
    Place place;
    place.line = static_cast<int>(next_line - line_starts_.begin());
    place.column = characters(text_.substr(line_start, offset - line_start)) + 1;
    const auto underlined = text_.substr(offset, bytes);
    place.length = std::max(characters(underlined.substr(0, underlined.find_first_of("\r\n"))), 1);
    place.file = file_;
    return place;
  }

  // Negative positions (yaml-cpp's "nowhere") and positions at the very end become the last character.
  std::size_t offset(int position) const {
    auto offset = position < 0 ? text_.size() : std::min(static_cast<std::size_t>(position), text_.size());
    while (offset == text_.size() && offset > 0 && (text_[offset - 1] == '\n' || text_[offset - 1] == '\r'))
      --offset;
    return offset;
  }

  // The length in bytes of the scalar that begins at the offset: up to its closing quote, or that of its
  // value if it is not quoted. Zero if the closing quote is missing, which yaml-cpp accepts at the end of the
  // file.
  std::size_t scalar_length(std::size_t offset, std::size_t value_length) const {
    const char quote = offset < text_.size() ? text_[offset] : ' ';
    if (quote != '"' && quote != '\'') return value_length;
    for (std::size_t end = offset + 1; end < text_.size(); ++end) {
      const bool escaped_quote = quote == '\'' && text_.substr(end).starts_with("''");
      if (escaped_quote || (quote == '"' && text_[end] == '\\'))
        ++end;
      else if (text_[end] == quote)
        return end + 1 - offset;
    }
    return 0;
  }

 private:
  static int characters(std::string_view bytes) {
    return static_cast<int>(std::count_if(bytes.begin(), bytes.end(), [](char octet) {
      return (static_cast<unsigned char>(octet) & 0xc0) != 0x80;
    }));
  }

  std::string_view text_;
  int file_;
  std::vector<std::size_t> line_starts_{0};
};

// If not, the diagnostics have the reason.
bool is_readable(const SourceText& source, Diagnostics& diagnostics);

}  // namespace vipd::conf
