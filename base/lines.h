// Lines: splits a stream of bytes into lines, for both ends of the control socket. An incomplete line is
// kept, up to a limit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace vipd {

class Lines {
 public:
  explicit Lines(std::size_t longest) : longest_(longest) {}

  void append(std::string_view bytes);
  // The next complete line, without its line break; nothing if there is none yet.
  std::optional<std::string> next();
  // At the end of the stream: the incomplete last line, if any. Call it when next() returns nothing.
  std::optional<std::string> rest();
  // Whether the incomplete line exceeds the limit: close the connection. Call it when next() returns nothing.
  bool too_long() const { return bytes_.size() - begin_ > longest_; }

 private:
  std::size_t longest_;
  std::string bytes_;
  std::size_t begin_ = 0;     // where the next line begins
  std::size_t searched_ = 0;  // no line ends before this offset
};

}  // namespace vipd
