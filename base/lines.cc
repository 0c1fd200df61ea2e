#include "base/lines.h"

namespace vipd {

void Lines::append(std::string_view bytes) {
  bytes_.erase(0, begin_);
  searched_ -= begin_;
  begin_ = 0;
  bytes_ += bytes;
}

std::optional<std::string> Lines::next() {
  const auto end = bytes_.find('\n', searched_);
  if (end == std::string::npos) {
    searched_ = bytes_.size();
    return std::nullopt;
  }
  auto line = bytes_.substr(begin_, end - begin_);
  begin_ = searched_ = end + 1;
  return line;
}

std::optional<std::string> Lines::rest() {
  if (begin_ == bytes_.size()) return std::nullopt;
  auto line = bytes_.substr(begin_);
  begin_ = searched_ = bytes_.size();
  return line;
}

}  // namespace vipd
