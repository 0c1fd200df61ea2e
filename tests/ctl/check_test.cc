#include "ctl/check.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "programs/common/paths.h"

using namespace vipd;

namespace {

struct Checked {
  explicit Checked(const std::vector<std::string>& files, bool json = false) {
    std::ostringstream out_stream;
    std::ostringstream err_stream;
    exit_code = ctl::check(files, "", json, out_stream, err_stream);
    out = out_stream.str();
    err = err_stream.str();
  }
  int exit_code;
  std::string out;
  std::string err;
};

// A file that is removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    std::string name = "/tmp/vipd-check-XXXXXX";
    const int descriptor = ::mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    path_ = name;
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const std::string good = "virtual_routers: {edge: {interface: eth0, vrid: 51, addresses: 192.0.2.10/24}}\n";
const std::string warned =
    "virtual_routers: {edge: {interface: eth0, vrid: 51, addresses: '2001:db8::10/64'}}\n";
const std::string bad = "virtual_routers: {edge: {interface: eth0, vrid: 0, addresses: 192.0.2.10/24}}\n";

}  // namespace

TEST_CASE("without a file vipctl checks the file that vipd reads") {
  CHECK(ctl::installed_configuration == programs::Paths{}.config_file);
}

TEST_CASE("a good file is one line on stdout that counts what is in it") {
  const std::string path = std::string(SOURCE_DIR) + "/conf/examples/https.yaml";
  const Checked checked({path});
  CHECK(checked.exit_code == 0);
  CHECK(checked.out == path + ": ok, 1 virtual router, 1 virtual server, 2 checks\n");
  CHECK(checked.err == "");
}

TEST_CASE("warnings are shown and counted, and the file is good all the same") {
  const TemporaryFile file(warned);
  const Checked checked({file.path()});
  CHECK(checked.exit_code == 0);
  CHECK(checked.out == file.path() + ": ok, 1 virtual router, 0 virtual servers, 0 checks, 1 warning\n");
  CHECK(checked.err.find(file.path() + ":1:64: warning: the IPv6 addresses do not begin with") == 0);
}

TEST_CASE("errors are shown with their lines, and the exit code is 1") {
  const TemporaryFile file(bad);
  const Checked checked({file.path()});
  CHECK(checked.exit_code == 1);
  CHECK(checked.out == "");
  CHECK(checked.err == file.path() + ":1:49: error: vrid must be 1 to 255, not 0\n   1 | " + bad + "     | " +
                           std::string(48, ' ') + "^\n" + file.path() + ": 1 error\n");
}

TEST_CASE("a file that cannot be read is exit code 2, and the other files are still checked") {
  const TemporaryFile good_file(good);
  const TemporaryFile bad_file(bad);
  const Checked checked({bad_file.path(), "/nonexistent/vipd.yaml", good_file.path()});
  CHECK(checked.exit_code == 2);
  CHECK(checked.out == good_file.path() + ": ok, 1 virtual router, 0 virtual servers, 0 checks\n");
  CHECK(checked.err.find("vipctl: cannot read /nonexistent/vipd.yaml: No such file or directory\n") !=
        std::string::npos);
  CHECK(checked.err.find("vrid must be") != std::string::npos);
}

TEST_CASE("a file that every user may write is a warning") {
  const TemporaryFile file(good);
  REQUIRE(::chmod(file.path().c_str(), 0666) == 0);
  const Checked checked({file.path()});
  CHECK(checked.exit_code == 0);
  CHECK(checked.err ==
        file.path() +
            ": warning: every user can write to this file, and so control what runs on this node\n"
            "     chmod o-w " +
            file.path() + "\n");
}

TEST_CASE("as JSON it is one list of all errors, and stderr stays empty") {
  const TemporaryFile bad_file(bad);
  const TemporaryFile good_file(good);
  const Checked checked({good_file.path(), bad_file.path(), "/nonexistent"}, true);
  CHECK(checked.exit_code == 2);
  CHECK(checked.err == "");
  CHECK(nlohmann::json::parse(checked.out) ==
        nlohmann::json::array({{{"file", bad_file.path()},
                                {"line", 1},
                                {"column", 49},
                                {"severity", "error"},
                                {"message", "vrid must be 1 to 255, not 0"},
                                {"remedy", ""}},
                               {{"file", "/nonexistent"},
                                {"line", 0},
                                {"column", 0},
                                {"severity", "error"},
                                {"message", "cannot read /nonexistent: No such file or directory"},
                                {"remedy", ""}}}));
  CHECK(Checked({good_file.path()}, true).out == "[]\n");
  CHECK(nlohmann::json::parse(Checked({"/\xff"}, true).out).size() == 1);
}

TEST_CASE("standard input is a file like any other, and is read once for all nodes") {
  const auto with_input = [](const std::string& text, const std::string& name) {
    std::istringstream input(text);
    auto* const before = std::cin.rdbuf(input.rdbuf());
    std::cin.clear();
    const Checked checked({name});
    std::cin.rdbuf(before);
    return checked;
  };
  for (const auto* name : {"-", "/dev/stdin"}) {
    const auto checked = with_input(good + "nodes: {a: {}, b: {}}\n", name);
    CHECK(checked.err.empty());
    CHECK(checked.out == std::string(name) +
                             " (node a): ok, 1 virtual router, 0 virtual servers, 0 checks\n" + name +
                             " (node b): ok, 1 virtual router, 0 virtual servers, 0 checks\n");
    CHECK(with_input(bad, name).err.starts_with("<stdin>:1:"));
  }
}
