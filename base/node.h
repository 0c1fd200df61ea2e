// Node: the content of a configuration file as a tree, with the place of each part. conf/yaml makes it of YAML; nothing
// here knows YAML. Comparison ignores places: documents with the same content are equal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vipd {

// A range of source text. Lines and columns count from 1; columns count characters of UTF-8, not bytes. Line
// 0 means "nowhere" (a node that no file contains).
struct Place {
  int line = 0;
  int column = 0;
  int length = 1;  // characters to underline
  int file = 0;    // number of the file in Diagnostics
};

class Node {
 public:
  enum class Type : std::uint8_t { null, scalar, sequence, map };
  struct Entry;

  Type type = Type::null;
  std::string scalar;          // the text as written, quotes removed
  bool quoted = false;         // "..." or '...': never read as a number or a boolean
  bool is_include = false;     // the text names a file whose document replaces this node
  std::vector<Node> items;     // of a sequence
  std::vector<Entry> entries;  // of a map, in the order of the file; keys are unique
  Place place;

  static Node text(std::string scalar);
  static Node list(std::vector<Node> items);
  static Node map(std::vector<std::pair<std::string, Node>> entries);

  const Node* find(std::string_view key) const;  // of a map; nullptr if absent
  bool operator==(const Node& other) const;      // ignores places, quoting and the order of keys
};

struct Node::Entry {
  std::string key;
  Place key_place;
  Node value;
};

}  // namespace vipd
