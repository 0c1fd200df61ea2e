// What vipd says when it cannot start, or cannot be replaced, because of the place or the rights it was
// given.
#include <cap-ng.h>
#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <iterator>

#include "io/clock.h"
#include "programs/guardian/control_socket.h"
#include "programs/guardian/privileges.h"
#include "programs/guardian/run_directory.h"
#include "programs/guardian/upgrade.h"
#include "tests/checks/scratch.h"
#include "tests/network.h"
#include "tests/system/limits.h"

using namespace vipd;
using namespace vipd::programs;
using namespace vipd::test;
using testing::Scratch;

namespace {

// /etc/passwd without a vipd, and with this line.
class Users {
 public:
  explicit Users(const std::string& line) {
    test::require_own_namespace();
    REQUIRE(mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    std::ifstream real("/etc/passwd");
    std::string text;
    for (std::string each; std::getline(real, each);)
      if (!each.starts_with("vipd:")) text += each + "\n";
    const auto file = scratch_.file("passwd", text + line);
    REQUIRE(mount(file.c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr) == 0);
  }
  Users(const Users&) = delete;
  ~Users() { umount2("/etc/passwd", MNT_DETACH); }

 private:
  Scratch scratch_;
};

std::string refusal(const Paths& paths) {
  const auto taken = take_run_directory(paths);
  return taken ? "" : taken.error().message;
}

}  // namespace

TEST_CASE("a run directory that cannot be had is named, with the option for another") {
  const Scratch scratch;
  const auto file = scratch.file("file", "");
  Paths good;
  good.run_dir = scratch.path() + "/run";
  good.state_dir = scratch.path() + "/state";
  auto paths = good;
  paths.run_dir = file + "/run";
  CHECK(refusal(paths) ==
        "making the directory " + paths.run_dir + ": Not a directory: set another --run-dir");
  paths = good;
  paths.state_dir = file + "/state";  // of events: no reason not to serve
  CHECK(refusal(paths) == "");
  {
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const Limit nothing(RLIMIT_FSIZE, 0);
    const auto said = refusal(good);
    std::signal(SIGXFSZ, handler);
    CHECK(said == "writing " + good.lock_file() + ": File too large: set another --run-dir");
  }
  std::filesystem::remove(good.lock_file());
  std::filesystem::create_directory(good.lock_file());
  CHECK(refusal(good) == "opening " + good.lock_file() + ": Is a directory: set another --run-dir");
}

TEST_CASE("a directory for events that cannot be made is an error with a remedy") {
  const Scratch scratch;
  const auto directory = scratch.file("state", "") + "/events";
  const auto made = make_events_directory(directory, Privileges::find("").value());
  REQUIRE_FALSE(made);
  CHECK(made.error().message == "cannot write events to disk: making the directory " + directory +
                                    ": Not a directory: set --state-dir, or events, directory in vipd.yaml");
  CHECK(make_events_directory(scratch.path() + "/good/events", Privileges::find("").value()));
}

TEST_CASE("two vipd do not share a run directory, and the error of the second names the first") {
  const Scratch scratch;
  Paths paths;
  paths.run_dir = paths.state_dir = scratch.path();
  const auto first = take_run_directory(paths);
  REQUIRE(first);
  CHECK(refusal(paths) == "another vipd (process " + std::to_string(getpid()) + ") uses " + scratch.path() +
                              ": stop that one first, or give this one another --run-dir");
}

TEST_CASE("a control socket that cannot be opened is named, with the option for another place") {
  const std::string deep = "/tmp/" + std::string(120, 'x');
  CHECK(listen_for_control(deep).error().message ==
        "the path of the control socket, " + deep +
            ", is longer than 107 characters: choose a shorter --run-dir");
  CHECK(listen_for_control("/nonexistent/control").error().message ==
        "cannot open the control socket /nonexistent/control: No such file or directory: set another "
        "--run-dir");
  const Limit none(RLIMIT_NOFILE, 0);
  const auto without_descriptor = listen_for_control("/nonexistent/control").error().message;
  CHECK(without_descriptor == "opening the control socket: Too many open files");
}

TEST_CASE("without the capabilities that it needs vipd says which, and how to give them") {
  CHECK(errors_of([] {
          capng_clear(CAPNG_SELECT_BOTH);
          capng_apply(CAPNG_SELECT_BOTH);
          const auto permitted = check_permissions();
          std::fprintf(stderr, "%s", permitted ? "permitted" : permitted.error().message.c_str());
        }) == "vipd requires the capabilities CAP_NET_ADMIN and CAP_NET_RAW: run it as root or as a service");
}

TEST_CASE("the reason why the programs share the user of vipd is given; with --user vipd does not start") {
  const auto because = [](const std::string& line) {
    const Users users(line);
    return Privileges::find("").value().shared_because();
  };
  CHECK(because("") == "there is no user \"vipd\"");
  CHECK(because("vipd:x:0:0::/:/bin/sh\n") == "vipd itself runs as vipd");
  CHECK(because("vipd:x:4321:4321::/:/bin/sh\n") == "vipd cannot start programs as vipd");

  const Users users("vipd:x:4321:4321::/:/bin/sh\n");
  CHECK(Privileges::find("vipd").error().message ==
        "vipd cannot start programs as vipd (--user): it lacks CAP_SETUID and CAP_SETGID, or its user "
        "namespace does not have this user");
  CHECK(Privileges::find("nobody-here").error().message == "there is no user \"nobody-here\" (--user)");
}

TEST_CASE("a new version names the error in a configuration in force that it does not accept") {
  Handover handover;
  handover.version = "0.1.0";
  handover.configuration = "virtual_routers: {edge: {vrid: 51, addresses: 192.0.2.10}}\n";
  const auto state = pack(handover);
  REQUIRE(state);
  CHECK(errors_of([&] { check_handover(state->get()); }) ==
        "the new version does not accept the configuration in force:\n"
        "the configuration in force:1:25: error: virtual router edge has no interface\n"
        "   1 | virtual_routers: {edge: {vrid: 51, addresses: 192.0.2.10}}\n"
        "     |                         ^\n"
        "     add \"interface:\" to it\n\n");
}

TEST_CASE("an upgrade for which there are no descriptors does not begin") {
  io::Loop loop;
  const auto refused = [&](rlim_t descriptors) {
    const Limit few(RLIMIT_NOFILE, descriptors);
    const auto begun = Upgrade::begin(loop, "/bin/true", Handover{}, io::now(), [](const auto&) {});
    return begun ? "" : begun.error().message;
  };
  CHECK(refused(0) == "creating a memory file: Too many open files");
  CHECK(refused(one_more()) == "creating a pipe: Too many open files");
}
