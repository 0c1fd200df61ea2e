// Lines: a stream of bytes as lines, for both ends of the control socket. What has no end yet waits, up to a
// bound.
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
  // The next whole line, without its end; nothing if there is none yet.
  std::optional<std::string> next();
  // Nothing more will come: what there is without an end, if it is not empty. Ask when next() has nothing.
  std::optional<std::string> rest();
  // What waits for its end is longer than a line may be: whoever sends it is not to be listened to any more.
  // Ask when next() has nothing.
  bool too_long() const { return bytes_.size() - begin_ > longest_; }

 private:
  std::size_t longest_;
  std::string bytes_;
  std::size_t begin_ = 0;     // of the line that is next
  std::size_t searched_ = 0;  // no line ends before this
};

}  // namespace vipd
