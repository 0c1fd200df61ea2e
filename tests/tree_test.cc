// What holds for all files: who may include whom (the picture in CMakeLists.txt and ARCHITECTURE.md), that
// files say what they are for, and that nothing of a workshop is left lying about.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/source_tree.h"

using namespace vipd::tests;

namespace {

using Folders = std::set<std::string>;

// Whom the files of a folder may include, besides their own folder. The programs are siblings: each may include what is
// common to them, and none of the others.
const std::map<std::string, Folders> allowed{
    {"base", {}},
    {"vrrp", {"base"}},
    {"io", {"base"}},
    {"netlink", {"base", "io"}},
    {"checks/settings", {"base"}},
    {"checks", {"base", "checks/settings"}},
    {"checks/runners", {"base", "io", "checks", "checks/settings"}},
    {"events", {"base", "io", "vrrp"}},
    {"conf", {"base", "vrrp", "checks/settings", "events"}},
    {"record", {"base", "vrrp"}},
    {"programs/common", {"base", "io", "vrrp", "checks", "checks/settings", "events"}},
    {"programs/guardian",
     {"base", "io", "vrrp", "netlink", "checks", "checks/settings", "events", "conf", "programs/common"}},
    {"programs/router", {"base", "io", "vrrp", "netlink", "events", "record", "programs/common"}},
    {"programs/monitor",
     {"base", "io", "vrrp", "checks", "checks/settings", "checks/runners", "events", "programs/common"}},
    {"programs/units", {}},
    {"ctl", {"base", "events", "conf", "record"}},
};

// Libraries that only some may know, so that the router maps neither TLS, HTTP nor YAML.
struct Library {
  std::string_view header;  // or how its name begins
  Folders folders;
  std::string_view why;
};
const std::vector<Library> libraries{
    {"curl/",
     {"checks/runners", "programs/monitor"},
     "HTTP is spoken by checks and webhooks, in the monitor alone"},
    {"openssl/",
     {"checks/runners", "programs/monitor"},
     "TLS is for checks and webhooks, in the monitor alone"},
    {"ares.h", {"checks/runners"}, "names are resolved by checks/runners/resolver, in the monitor alone"},
    {"yaml-cpp/", {"conf"}, "conf/yaml.cc makes a base/node.h Node of YAML; take that"},
    {"libmnl/", {"netlink"}, "netlink/ is where the kernel is talked to; add what you need there"},
    {"bpf/", {"netlink"}, "netlink/lease loads the one program that we have in the kernel"},
    {"nlohmann/",
     {"programs/monitor", "ctl", "events"},
     "JSON is for what vipctl prints; libraries return values"},
    {"CLI/", {"programs/guardian", "ctl"}, "a command line is the main file's business"},
    {"systemd/", {"programs/units"}, "only vipd-units talks to systemd over D-Bus"},
};

// A folder with components in it is not one itself: programs/router, checks/settings.
std::string component_of(std::string_view path) {
  const auto last = path.rfind('/');
  std::string folder(path.substr(0, last == std::string_view::npos ? 0 : last));
  while (!folder.empty() && !allowed.contains(folder) && folder.find('/') != std::string::npos)
    folder.resize(folder.rfind('/'));
  return folder;
}

bool is_ours(const std::string& folder) {
  return allowed.contains(folder);
}

std::string place(const SourceFile& file, const Include& include) {
  return file.path + ":" + std::to_string(include.line) + ": ";
}

std::string listed(const Folders& folders) {
  std::string text;
  for (const auto& folder : folders) text += (text.empty() ? "" : ", ") + folder;
  return text.empty() ? "nothing" : text;
}

std::string what_to_do(const std::string& from, const std::string& to) {
  if (to.starts_with("programs/") && from.starts_with("programs/"))
    return "the programs share programs/common: move it there, or send it as a message";
  if (to.starts_with("programs/"))
    return "the programs are on top: what they know comes as an argument, a callback or a value";
  if (from == "vrrp")
    return "vrrp/ is pure: it gets facts as vrrp::Input and returns actions; programs/router/effects does "
           "them";
  if (from == "base")
    return "base/ is below everybody: move what you need into base/, or your code out of it";
  if (from == "ctl") return "vipctl asks vipd over its socket; what both need belongs into base/";
  return "let a program connect the two: programs/ is above all other folders";
}

// Empty if the include may stand there, else a sentence.
std::string trouble_with_our(const SourceFile& file, const Include& include) {
  const auto from = component_of(file.path);
  const auto to = component_of(include.name);
  if (include.name.find('/') == std::string::npos)
    return place(file, include) + "\"" + include.name + "\" has no folder: write \"" + from + "/" +
           include.name + "\"";
  if (source_file(include.name).path.empty())
    return place(file, include) + "there is no " + include.name +
           " in the tree; other people's headers stand in <>";
  if (to == "tests" && from != "tests" && from != "bench")
    return place(file, include) +
           "the product does not include its tests: move it into base/, or the code into tests/";
  if (!is_ours(from) || from == to || allowed.at(from).contains(to)) return {};
  return place(file, include) + from + "/ does not know " + to + "/ (it may include " +
         listed(allowed.at(from)) + "). " + what_to_do(from, to);
}

std::string trouble_with_foreign(const SourceFile& file, const Include& include) {
  const auto from = component_of(file.path);
  if (!is_ours(from)) return {};
  for (const auto& library : libraries)
    if (include.name.starts_with(library.header) && !library.folders.contains(from))
      return place(file, include) + from + "/ does not know <" + include.name +
             ">: " + std::string(library.why);
  return {};
}

std::vector<std::string> stray_includes() {
  std::vector<std::string> troubles;
  for (const auto& file : source_tree()) {
    if (!is_code(file)) continue;
    for (const auto& include : includes_of(file)) {
      const auto trouble =
          include.quoted ? trouble_with_our(file, include) : trouble_with_foreign(file, include);
      if (!trouble.empty()) troubles.push_back(trouble);
    }
  }
  return troubles;
}

// The C++ library, but for what waits, reads clocks, opens files or runs beside.
bool is_pure(const Include& include) {
  static const std::set<std::string> impure{"thread",  "mutex",    "future",     "condition_variable",
                                            "fstream", "iostream", "filesystem", "csignal",
                                            "cstdio",  "ctime",    "random",     "semaphore"};
  const bool standard =
      include.name.find_first_of("./") == std::string::npos && !impure.contains(include.name);
  return standard || include.name == "fmt/format.h" || include.name == "tl/expected.hpp";
}

bool opens_with_comment(const SourceFile& file) {
  const auto first =
      std::find_if(file.lines.begin(), file.lines.end(), [](const auto& line) { return !line.empty(); });
  return first != file.lines.end() && first->starts_with("// ");
}

// A .cc whose first line includes its own header leaves the paragraph to that.
bool header_opens_with_comment(const SourceFile& file) {
  if (!file.path.ends_with(".cc")) return false;
  const auto header = file.path.substr(0, file.path.size() - 2) + "h";
  return file.lines.size() > 1 && file.lines[0] == "#include \"" + header + "\"" &&
         opens_with_comment(source_file(header));
}

// A test file is named after what it tests, and its test cases are sentences.
bool is_named_test(const SourceFile& file) {
  return file.path.starts_with("tests/") && file.path.ends_with("_test.cc");
}

std::string all_of(const std::vector<std::string>& troubles) {
  std::string text;
  for (const auto& trouble : troubles) text += "\n  " + trouble;
  return text;
}

}  // namespace

TEST_CASE("Each folder with code has its place in the picture") {
  REQUIRE(source_file("tests/tree_test.cc").lines.size() > 100);  // this is the tree
  for (const auto& file : source_tree()) {
    const auto folder = component_of(file.path);
    if (is_code(file) && folder_of(file) != "tests" && folder != "tests" && folder != "bench")
      CHECK_MESSAGE(is_ours(folder), file.path << ": say in this test whom " << folder << "/ may include");
  }
}

TEST_CASE("Nobody includes a folder that stands above or beside them") {
  const auto troubles = stray_includes();
  CHECK_MESSAGE(troubles.empty(), all_of(troubles));
}

TEST_CASE("A stray include is reported with the place where it belongs") {
  const auto trouble = [](const char* path, const char* line) {
    const SourceFile file{path, {line}};
    const auto include = includes_of(file).at(0);
    return include.quoted ? trouble_with_our(file, include) : trouble_with_foreign(file, include);
  };
  CHECK(trouble("vrrp/packet.cc", "#include \"io/fd.h\"") ==
        "vrrp/packet.cc:1: vrrp/ does not know io/ (it may include base). vrrp/ is pure: it gets facts as "
        "vrrp::Input and returns actions; programs/router/effects does them");
  CHECK(trouble("netlink/socket.cc", "#include <curl/curl.h>") ==
        "netlink/socket.cc:1: netlink/ does not know <curl/curl.h>: HTTP is spoken by checks and webhooks, "
        "in the "
        "monitor alone");
  CHECK(trouble("programs/router/router.cc", "#include \"programs/guardian/guardian.h\"")
            .ends_with("the programs share programs/common: move it there, or send it as a message"));
  CHECK(trouble("conf/load.cc", "#include \"checks/runners/http.h\"") != "");
  CHECK(trouble("conf/load.cc", "#include \"checks/settings/check.h\"") == "");
}

TEST_CASE("vrrp is pure: no system header, no clock, no thread, no file") {
  for (const auto& file : source_tree()) {
    if (folder_of(file) != "vrrp" || !is_code(file)) continue;
    for (const auto& include : includes_of(file))
      CHECK_MESSAGE((include.quoted || is_pure(include)),
                    place(file, include)
                        << "<" << include.name
                        << "> has no place in a pure folder: let programs/router/effects do it");
    CHECK_MESSAGE(file.text().find("clock::now") == std::string::npos,
                  file.path << ": vrrp reads no clock; time is an argument of step()");
  }
}

TEST_CASE("Only conf/yaml knows yaml-cpp") {
  for (const auto& file : source_tree())
    for (const auto& include : includes_of(file))
      CHECK_MESSAGE((!include.name.starts_with("yaml-cpp/") || file.path == "conf/yaml.cc"),
                    place(file, include) << "conf/yaml.cc makes a base/node.h Node of YAML; take that");
}

TEST_CASE("Each file of code opens with what it is for, or its header does") {
  for (const auto& file : source_tree())
    if (is_code(file) && !is_named_test(file))
      CHECK_MESSAGE(
          (opens_with_comment(file) || header_opens_with_comment(file)),
          file.path
              << " should open with a paragraph: what it is for, whom it talks to, what it does not do");
}

TEST_CASE("Nothing of a workshop is left lying about") {
  // In two halves, so that this file does not contain them.
  const std::vector<std::string> words{std::string("/wo") + "rk/",         std::string("../sha") + "red",
                                       std::string("BRIEF") + ".md",       std::string("design") + ".md",
                                       std::string("feasibility") + ".md", std::string("baselines") + ".md",
                                       std::string("conformance") + ".md", std::string("TO") + "DO",
                                       std::string("FIX") + "ME",          std::string("X") + "XX:"};
  for (const auto& file : source_tree())
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      for (const auto& word : words)
        CHECK_MESSAGE(
            file.lines[i].find(word) == std::string::npos,
            file.path << ":" << i + 1 << ": \"" << word << "\" means nothing to a reader of this repository");
}

TEST_CASE("Lines end with a line break and nothing else") {
  for (const auto& file : source_tree()) {
    if (!is_code(file)) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i)
      CHECK_MESSAGE((file.lines[i].empty() ||
                     std::string_view(" \t\r").find(file.lines[i].back()) == std::string_view::npos),
                    file.path << ":" << i + 1 << ": white space at the end of the line");
  }
}
