// Every message that a user can provoke by what he writes is asserted by a test: each literal of the files
// below occurs in a test's expectation, its longest piece at least that stands between two values. A message
// that is new, or has new words, fails here until a test shows how it is met.
//
// A literal without a space is a key or a word, and help for options is no message. What no test can provoke
// is in a list, with the reason.
#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/source_tree.h"

using namespace vipd::tests;

namespace {

// Folders, files, and what files end with.
constexpr std::string_view spoken_to_users[] = {"conf/",
                                                "ctl/",
                                                "record/",
                                                "_settings.cc",
                                                "base/document.cc",
                                                "base/ip.cc",
                                                "base/time.cc",
                                                "daemon/configuration.cc",
                                                "daemon/control_socket.cc",
                                                "daemon/guardian.cc",
                                                "daemon/guardian_reload.cc",
                                                "daemon/guardian_upgrade.cc",
                                                "daemon/handover.cc",
                                                "daemon/lease_news.cc",
                                                "daemon/main.cc",
                                                "daemon/privileges.cc",
                                                "daemon/run_directory.cc",
                                                "daemon/stand_in.cc",
                                                "daemon/upgrade.cc",
                                                "health/resolver.cc",
                                                "health/tls_contexts.cc"};

struct Unprovoked {
  std::string_view piece;
  std::string_view reason;
};
constexpr std::string_view of_yaml_cpp = "yaml-cpp says it; what is made of it is asserted";
constexpr std::string_view of_the_kernel = "the kernel refuses what it has allowed a line above";
constexpr std::string_view of_a_moment = "something goes between two system calls";
constexpr std::string_view of_openssl = "OpenSSL without memory, or with an error that it does not name";
constexpr Unprovoked unprovoked[] = {
    {"illegal map value", of_yaml_cpp},
    {"end of map flow not found", of_yaml_cpp},
    {"end of sequence flow not found", of_yaml_cpp},
    {"end of map not found", of_yaml_cpp},
    {"end of sequence not found", of_yaml_cpp},
    {"illegal EOF in scalar", of_yaml_cpp},
    {"illegal document indicator in scalar", of_yaml_cpp},
    {"unknown escape character", of_yaml_cpp},
    {"invalid unicode", of_yaml_cpp},
    {"bad character found while scanning hex number", of_yaml_cpp},
    {"the referenced anchor is not defined", of_yaml_cpp},
    {"alias not found after *", of_yaml_cpp},
    {"anchor not found after &", of_yaml_cpp},
    {"illegal block entry", of_yaml_cpp},
    {"illegal flow end", of_yaml_cpp},
    {"illegal map key", of_yaml_cpp},
    {"unknown token", of_yaml_cpp},
    {"reading from vipd", of_the_kernel},
    {"writing to vipd", of_the_kernel},
    {"asking for the terminal's settings", of_the_kernel},
    {"giving up capabilities that are not needed", of_the_kernel},
    {"hooks do not end: they are killed", "it takes a minute until that is said"},
    {") that does not end, although its vipd (process", "it takes as long"},
    {"has a lease again", "the kernel takes what it has refused before"},
    {"looking for what an earlier vipd has left:", of_the_kernel},
    {", where an earlier vipd has left it:", of_the_kernel},
    {"making a pipe non-blocking", of_the_kernel},
    {"reading the state handed over", of_the_kernel},
    {"sealing the state to be handed over", of_the_kernel},
    {"looking up the user", "the user database is there, or knows root by another way"},
    {"vipd-monitor is just being replaced", of_a_moment},
    {"creating a TLS connection:", of_openssl},
    {"creating a TLS context:", of_openssl},
    {"the system's certificate authorities", of_openssl},
    {"unknown error", of_openssl},
};

bool is_spoken_to_users(const std::string& path) {
  return path.ends_with(".cc") &&
         std::any_of(std::begin(spoken_to_users), std::end(spoken_to_users), [&](std::string_view each) {
           return each.ends_with('/') ? path.starts_with(each) : path.ends_with(each);
         });
}

// The literals of C++ source, neighbours joined, escapes but for \" and \\ as they are written. Knows
// comments and characters; raw literals are not used where it looks.
std::vector<std::string> literals_of(const std::string& source) {
  std::vector<std::string> literals;
  bool after_literal = false;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source.compare(i, 2, "//") == 0 || (source[i] == '#' && (i == 0 || source[i - 1] == '\n'))) {
      i = std::min(source.find('\n', i), source.size());
    } else if (source[i] == '\'' &&
               (i == 0 || std::isalnum(static_cast<unsigned char>(source[i - 1])) == 0)) {
      for (++i; i < source.size() && source[i] != '\''; ++i) i += source[i] == '\\' ? 1 : 0;
      after_literal = false;
    } else if (source[i] == '"') {
      if (!after_literal) literals.emplace_back();
      for (++i; i < source.size() && source[i] != '"'; ++i) {
        const bool escape = source[i] == '\\' && i + 1 < source.size();
        const bool escaped_itself = escape && (source[i + 1] == '"' || source[i + 1] == '\\');
        if (escape && !escaped_itself) literals.back() += source[i];
        if (escape) ++i;
        literals.back() += source[i];
      }
      after_literal = true;
    } else if (std::isspace(static_cast<unsigned char>(source[i])) == 0) {
      after_literal = false;
    }
  }
  return literals;
}

std::string without_help(const std::string& source) {
  static const std::regex help(
      R"re((CLI::App app\{|add_option\(|add_flag\(|[ (]command\()(?:[^;"]|"(?:[^"\\]|\\.)*")*;)re");
  return std::regex_replace(source, help, ";");
}

// What stands between two values or line breaks: "{} is not an address of virtual router {}".
std::string longest_piece(const std::string& literal) {
  static const std::regex value(R"re(\{\{|\}\}|\{[^{} ]*\}|%s|\\n)re");
  std::string longest;
  for (std::sregex_token_iterator piece(literal.begin(), literal.end(), value, -1), end; piece != end;
       ++piece)
    if (piece->length() > static_cast<std::ptrdiff_t>(longest.size())) longest = *piece;
  longest.erase(0, longest.find_first_not_of(' '));
  longest.erase(longest.find_last_not_of(' ') + 1);
  return longest;
}

// All that tests expect, and what else stands beside it. Python's literals are joined and escaped alike.
std::string all_expectations() {
  static const std::regex break_of_python(R"re("\n +f?")re");
  std::string text;
  for (const auto& file : source_tree()) {
    if (folder_of(file) != "tests" || file.path == "tests/messages_test.cc") continue;
    if (is_code(file))
      for (const auto& literal : literals_of(file.text())) text += literal + "\n";
    else
      text += file.path.ends_with(".py") ? std::regex_replace(file.text(), break_of_python, "") : file.text();
  }
  return text;
}

}  // namespace

TEST_CASE("Every message that a user can provoke is asserted by a test") {
  constexpr std::size_t shortest_piece = 9;  // below that it would be found anywhere
  const auto expectations = all_expectations();
  std::vector<std::string_view> used;
  int messages = 0;
  for (const auto& file : source_tree()) {
    if (!is_spoken_to_users(file.path)) continue;
    for (const auto& literal : literals_of(without_help(file.text()))) {
      const auto piece = longest_piece(literal);
      if (piece.size() < shortest_piece || piece.find(' ') == std::string::npos) continue;
      ++messages;
      const auto* const known = std::find_if(std::begin(unprovoked), std::end(unprovoked),
                                             [&](const auto& each) { return each.piece == piece; });
      if (known != std::end(unprovoked)) used.push_back(known->piece);
      CHECK_MESSAGE((known != std::end(unprovoked) || expectations.find(piece) != std::string::npos),
                    file.path << ": no test asserts \"" << piece << "\"");
    }
  }
  CHECK(messages > 300);  // they have been found
  for (const auto& each : unprovoked)
    CHECK_MESSAGE(std::find(used.begin(), used.end(), each.piece) != used.end(),
                  "there is no message \"" << each.piece << "\" any more: take it off the list");
}

TEST_CASE("A message is found in source whatever stands beside it") {
  CHECK(literals_of("f(\"a \" \n  \"b\", '\"', 1'000, \"c \\\"d\\\\ \\n\"); // \"e\"\n#include \"f\"\n") ==
        std::vector<std::string>{"a b", "c \"d\\ \\n"});
  CHECK(longest_piece("{} is it\\n{:d}") == "is it");
  CHECK(longest_piece("{} is {}, it must be {:d} to {}") == ", it must be");
  CHECK(longest_piece("write {NAME: VALUE}") == "write {NAME: VALUE}");
}
