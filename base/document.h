// A located document: the content of a configuration file, with the place of each part.
//
// Node is the tree (conf/yaml parses YAML into it; nothing here knows YAML). Reader reads one map of it, key
// by key: each call names a key, its type and its limits, and reports errors to Diagnostics; finish() reports
// keys that no call has named. All errors are collected, so that a user sees them together. Comparison of
// nodes ignores places: documents with the same content are equal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"

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

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Place place;
  std::string message;  // the error: "priority must be 1 to 255, not 300"
  std::string remedy;   // the remedy, or empty: "did you mean \"priority\"?"
};

// All errors and warnings about one document, which may come from several files.
class Diagnostics {
 public:
  // file: the name to print; source: its whole text, for the excerpt with the caret.
  Diagnostics(std::string file, std::string source);
  // Adds a file. Returns its number for Place::file; the first file has number 0.
  int add_file(std::string file, std::string source);

  void error(Place place, std::string message, std::string remedy = {});
  void warning(Place place, std::string message, std::string remedy = {});

  // Marks a place whose value is unknown, which has been reported: later messages about it are dropped.
  void spoil(const Place& place);

  bool has_errors() const;
  const std::string& file(int number = 0) const;
  const std::string& source(int number = 0) const;  // without a byte order mark; valid as long as this object

  // The place for a message about `from`: "line 5", or "/etc/vipd/vipd.yaml:5" if in another file.
  std::string where(const Place& place, const Place& from) const;

  // In the order of the files.
  const std::vector<Diagnostic>& all() const { return diagnostics_; }

  // In the order of the files (the first hundred, if there are more), each as
  //   /etc/vipd/vipd.yaml:7:5: error: unknown key "priorty" in virtual router edge
  //      7 |     priorty: 250
  //        |     ^~~~~~~
  //        did you mean "priority"?
  // The output is always ASCII; a long line is cut around the place; a tab is one column.
  std::string render() const;

 private:
  void add(Severity severity, Place place, std::string message, std::string remedy);
  std::string render(const Diagnostic& diagnostic) const;

  struct File {
    std::string name;
    std::string source;
    std::vector<std::size_t> line_starts;  // offsets into source
  };

  std::vector<std::unique_ptr<const File>> files_;
  std::vector<Diagnostic> diagnostics_;         // sorted by place
  std::set<std::tuple<int, int, int>> spoilt_;  // file, line, column
};

// User input for a message: in double quotes, on one line, ASCII, cut if it is long.
std::string quote(std::string_view text);

// The remedy "did you mean \"priority\"?" if a candidate is near enough, else empty.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// The candidate nearest to a misspelt word, within an edit distance of a third of its length.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

class Reader {
 public:
  // what: the name of the map in messages ("virtual router edge"). Reports a node that is not a map.
  Reader(const Node& node, Diagnostics& diagnostics, std::string what);

  // Each returns the value if the key is present and valid. It reports an invalid value and returns nothing.
  std::optional<std::string> text(std::string_view key);
  std::optional<bool> boolean(std::string_view key);  // true or false only; yes, no, on and off are errors
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least,
                                      std::int64_t most);  // decimal only
  std::optional<Duration> duration(std::string_view key, Duration least, Duration most);
  std::optional<IpAddress> address(std::string_view key);
  std::optional<std::vector<std::string>> texts(
      std::string_view key);  // a sequence of scalars, or one scalar

  template <class Value>
  struct Choice {
    std::string_view name;
    Value value;
  };
  template <class Value>
  std::optional<Value> choice(std::string_view key, std::span<const Choice<Value>> choices) {
    std::vector<std::string> names;
    for (const auto& each : choices) names.emplace_back(each.name);
    const auto index = choice_index(key, names);
    if (!index) return std::nullopt;
    return choices[*index].value;
  }

  const Node* child(std::string_view key);  // any node; marks the key as known; nullptr if absent
  bool has(std::string_view key) const;     // present; does not mark it as known
  void required(std::string_view key);      // finish() reports it as missing, unless it is only misspelt

  // A key of a later version: its use is an error, with the remedy.
  void reserved(std::string_view key, std::string_view why);

  // A key of another program (keepalived's virtual_router_id): reported as unknown, with a specific remedy.
  void foreign(std::string_view key, std::string_view remedy);

  void finish();  // reports keys that no call has named, with "did you mean"

  Diagnostics& diagnostics() { return diagnostics_; }
  const Node& node() const { return node_; }
  const std::string& what() const { return what_; }
  void error(std::string_view key, std::string message, std::string remedy = {});  // at the value of key

 private:
  const Node::Entry* entry(std::string_view key) const;
  const Node* scalar(std::string_view key, std::string_view wanted);
  std::optional<std::size_t> choice_index(std::string_view key, std::span<const std::string> names);

  const Node& node_;
  Diagnostics& diagnostics_;
  std::string what_;
  std::vector<std::string> known_;    // keys that finish() may suggest
  std::vector<std::string> missing_;  // required keys that are absent
  std::vector<std::string> hidden_;   // reserved and foreign keys: handled, but never suggested
};

}  // namespace vipd
