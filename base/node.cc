#include "base/node.h"

#include <algorithm>

namespace vipd {

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

}  // namespace vipd
