// YAML text to the located document of base/document.h, and back to text. The only file that knows yaml-cpp.
//
// What is read is the part of YAML that people write by hand: maps, lists and scalars, plain or quoted, in
// block or flow form, anchors, aliases and merge keys (<<) included. Scalars stay text: base/document's
// Reader decides what is a number. Refused, each with its place: duplicate keys, keys that are no single
// words, tags but for !include, tabs in the indentation, a second document, bytes that are not UTF-8, control
// characters, and whatever is too large, too deep or grows too large by its aliases. It knows nothing of
// vipd's keys.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/document.h"

namespace vipd::conf {

// Bounds on what one file may be.
constexpr std::size_t largest_text = std::size_t{1024} * 1024;  // bytes
constexpr std::size_t longest_line = std::size_t{32} * 1024;    // bytes
constexpr std::size_t longest_scalar = 4096;  // bytes; written with escapes, it still fits into a line
constexpr std::size_t longest_key = 1024;     // bytes
constexpr int deepest_nesting = 16;           // maps and lists inside each other
constexpr std::size_t most_nodes = 200'000;   // values, with aliases written out

// The document in the text (without a byte order mark), null if there is nothing but comments. Absent if the
// text cannot be read: then diagnostics has the errors. Duplicate keys and their like are errors too, but the
// rest is returned all the same, so that the mistakes in it are seen as well.
// file: its number among the diagnostics.
std::optional<Node> read_yaml(std::string_view text, Diagnostics& diagnostics, int file = 0);

}  // namespace vipd::conf
