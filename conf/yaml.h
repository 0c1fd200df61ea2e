// Parses YAML text into the located document of base/node.h. Only conf/yaml.cc uses yaml-cpp.
//
// It accepts the part of YAML that people write by hand: maps, lists and scalars, plain or quoted, in block
// or flow form, with anchors, aliases and merge keys (<<). Scalars stay text: the Reader of base/reader
// decides what is a number. It rejects, each with its place: duplicate keys, keys that are not single words,
// tags other than !include, tabs in the indentation, a second document, bytes that are not UTF-8, control
// characters, and documents that are too large or too deep, also after their aliases are expanded. It does
// not know vipd's keys.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostics.h"
#include "base/node.h"
#include "base/reader.h"

namespace vipd::conf {

// Limits for one file.
constexpr std::size_t largest_text = std::size_t{1024} * 1024;  // bytes
constexpr std::size_t longest_line = std::size_t{32} * 1024;    // bytes
constexpr std::size_t longest_scalar = 4096;  // bytes; fits into a line even if every byte is escaped
constexpr std::size_t longest_key = 1024;     // bytes
constexpr int deepest_nesting = 16;           // nested maps and lists
constexpr std::size_t most_nodes = 200'000;   // values, with aliases expanded

// The document in the text (without a byte order mark), null if the text has only comments. Returns nothing
// if the text cannot be parsed; the diagnostics have the errors. Duplicate keys and similar errors do not
// prevent a document from being returned, so that other errors in it are reported too.
//
// file: its number in the diagnostics.
std::optional<Node> read_yaml(std::string_view text, Diagnostics& diagnostics, int file = 0);

}  // namespace vipd::conf
