// Diagnostics: all errors and warnings about one document, each with its place and a remedy, so that a user sees them
// together: file:line:column, the line, and a caret below it.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/node.h"

namespace vipd {

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
  Severity severity = Severity::error;
  Place place;
  std::string message;  // the error: "priority must be 1 to 255, not 300"
  std::string remedy;   // the remedy, or empty: "did you mean \"priority\"?"
};

// The document may come from several files.
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

}  // namespace vipd
