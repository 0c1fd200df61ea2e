// A located document out of a line of text, for tests of settings: the flow style of YAML, {key: [a, "b"]},
// without conf/yaml.
#pragma once

#include <string>
#include <string_view>

#include "base/node.h"

namespace vipd::testing {

class Flow {
 public:
  static Node parse(const std::string& text) { return Flow(text).value(); }

 private:
  explicit Flow(const std::string& text) : text_(text) {}

  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == ',')) ++at_;
  }
  Place place(std::size_t from) const {
    Place place{1, 1, 1};
    for (std::size_t i = 0; i < from; ++i) {
      ++place.column;
      if (text_[i] == '\n') ++place.line, place.column = 1;
    }
    return place;
  }
  Node scalar(std::string_view ends) {
    const auto from = at_;
    Node node = Node::text({});
    if (text_[at_] == '"') {
      const auto close = text_.find('"', at_ + 1);
      node.quoted = true;
      node.scalar = text_.substr(at_ + 1, close - at_ - 1);
      at_ = close + 1;
    } else {
      at_ = std::min(text_.find_first_of(ends, at_), text_.size());
      node.scalar = text_.substr(from, at_ - from);
    }
    node.place = place(from);
    node.place.length = static_cast<int>(at_ - from);
    return node;
  }
  Node value() {
    skip();
    const auto from = at_;
    Node node;
    node.place = place(from);
    if (text_[at_] == '[') {
      node.type = Node::Type::sequence;
      for (++at_, skip(); text_[at_] != ']'; skip()) node.items.push_back(value());
      ++at_;
    } else if (text_[at_] == '{') {
      node.type = Node::Type::map;
      for (++at_, skip(); text_[at_] != '}'; skip()) {
        const Node key = scalar(":");
        ++at_;
        node.entries.push_back({key.scalar, key.place, value()});
      }
      ++at_;
    } else {
      return scalar(",]}\n");
    }
    return node;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace vipd::testing
