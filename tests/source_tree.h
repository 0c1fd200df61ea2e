// The repository as text: what tests/tree_test.cc and tests/docs_test.cc read of it. Knows files and lines,
// and no rule about them.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::tests {

struct SourceFile {
  std::string path;  // from the top of the repository: "vrrp/engine.cc"
  std::vector<std::string> lines;

  std::string text() const;
};

struct Include {
  std::string name;      // "vrrp/engine.h", "vector"
  bool quoted = false;   // "..." rather than <...>
  std::size_t line = 0;  // from 1
};

// What git would hold: without build folders, hidden folders other than .ci, and caches. Text files only.
const std::vector<SourceFile>& source_tree();

// An empty file if there is none.
const SourceFile& source_file(std::string_view path);

bool is_code(const SourceFile& file);           // .cc or .h
std::string folder_of(const SourceFile& file);  // the first part of the path; "" at the top
std::vector<Include> includes_of(const SourceFile& file);

// The first group of each match of the regular expression in the text.
std::set<std::string> matches(const std::string& text, const std::string& expression);

}  // namespace vipd::tests
