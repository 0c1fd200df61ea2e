// Reader: reads one map of a document, key by key. Each call names a key, its type and its limits, and reports errors to
// Diagnostics; finish() reports keys that no call has named.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "base/ip.h"
#include "base/time.h"

namespace vipd {

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
