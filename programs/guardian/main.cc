// vipd: reads the configuration, takes its run directory, and becomes the guardian.
#include <sys/prctl.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <string>

#include "base/usage.h"
#include "base/words.h"
#include "conf/load.h"
#include "programs/common/scheduling.h"
#include "programs/guardian/control_socket.h"
#include "programs/guardian/guardian.h"
#include "programs/guardian/run_directory.h"

namespace {
using namespace vipd;
using namespace vipd::programs;

// Documented in vipd(8).
constexpr int exit_configuration = 1;
constexpr int exit_usage = 2;
constexpr int exit_cannot_run = 3;

int cannot_run(const Error& error) {
  std::fprintf(stderr, "vipd: %s\n", error.message.c_str());
  return exit_cannot_run;
}

int serve(const Paths& paths, Result<std::unique_ptr<Guardian>> guardian) {
  const int result = guardian ? (*guardian)->run() : cannot_run(guardian.error());
  leave_run_directory(paths);
  return result;
}

// The users for the programs, if this process has the rights to run them.
Result<> set_privileges(Guardian::Setting& setting, const std::string& user) {
  TRY_VOID(check_permissions());
  setting.privileges = TRY(Privileges::find(user));
  return {};
}

// Continues in place of the program that this process ran before.
int go_on(Guardian::Setting setting, const std::string& user, int fd) {
  // As at a first start: a process that executes a program with more rights than it has kept is hidden from
  // processes with the same rights, from another vipd that looks for the holder of a virtual router for
  // instance.
  prctl(PR_SET_DUMPABLE, 1);
  const io::Fd state(fd);
  auto handover = unpack(state.get());
  if (!handover) return cannot_run(handover.error());
  auto loaded = conf::load_printed("the configuration in force", handover->configuration);
  if (!loaded.config) return cannot_run(Error{loaded.diagnostics.render(), 0});
  if (const auto set = set_privileges(setting, user); !set) return cannot_run(set.error());
  Log log("vipd", setting.level);
  ask_for_priority(log);
  return serve(setting.paths, Guardian::take_over(log, setting, std::move(*loaded.config), *handover));
}

int run(Guardian::Setting setting, const std::string& user) {
  const auto& paths = setting.paths;
  auto loaded = conf::load_file(paths.config_file, conf::surroundings_of_this_process(setting.node));
  if (!loaded) {
    std::fprintf(stderr, "vipd: %s: set another file with --config FILE\n", loaded.error().message.c_str());
    return exit_usage;
  }
  const auto diagnostics = loaded->diagnostics.render();
  if (!diagnostics.empty()) std::fputs(diagnostics.c_str(), stderr);
  if (!loaded->config) return exit_configuration;

  if (const auto set = set_privileges(setting, user); !set) return cannot_run(set.error());
  auto taken = take_run_directory(paths);
  if (!taken) return cannot_run(taken.error());
  setting.killed = taken->killed;
  auto control = listen_for_control(paths.control_socket());
  if (!control) return cannot_run(control.error());

  Log log("vipd", setting.level);
  ask_for_priority(log);
  return serve(paths, Guardian::create(log, setting, std::move(*loaded->config), std::move(taken->lock),
                                       std::move(*control), take_stored_descriptor(hold_name)));
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "vipd keeps virtual IP addresses on exactly one healthy node of a group (VRRPv3, RFC 9568).\n"
      "It runs in the foreground. SIGTERM hands over and ends it; SIGHUP reloads. See vipd(8).",
      "vipd"};
  Guardian::Setting setting{
      .paths = {}, .level = Level::info, .invocation = invocation(argc, argv), .privileges = {}};
  auto& paths = setting.paths;
  std::string level_name = "info";
  std::string user;
  bool no_sandbox = false;
  int state = -1;
  int state_to_check = -1;
  app.add_option("--config", paths.config_file, "configuration file")->capture_default_str();
  app.add_option("--node", setting.node, "name of this node in the configuration; default: the host name");
  app.add_option("--run-dir", paths.run_dir, "directory of the control socket")->capture_default_str();
  app.add_option("--state-dir", paths.state_dir, "directory for data that survives a reboot")
      ->capture_default_str();
  app.add_option("--user", user, "user that runs vipd-router and vipd-monitor; default: vipd, if it exists");
  app.add_flag("--no-sandbox", no_sandbox,
               "do not restrict system calls and files of vipd-router and vipd-monitor");
  app.add_option("--log-level", level_name, "error, warning, notice, info or debug")->capture_default_str();
  // Between two versions of this program (programs/guardian/handover), not for users.
  app.add_option("--handover", state)->group("");
  app.add_option("--check-handover", state_to_check)->group("");
  app.set_version_flag("--version", std::string("vipd ") + VIPD_VERSION);
  try {
    app.parse(argc, argv);
    if (!parse_level(level_name, setting.level))
      throw CLI::ValidationError("--log-level is " + quote(level_name) +
                                 ", it must be error, warning, notice, info or debug");
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    const Misuse misuse{error.get_name(), error.what(), app.remaining()};
    std::fprintf(stderr, "vipd: %s\n", describe(misuse, "vipd").c_str());
    return exit_usage;
  }
  setting.sandbox = !no_sandbox;
  // An absolute path, because vipctl, which gets this name, runs in another directory.
  std::error_code nowhere;
  if (const auto file = std::filesystem::absolute(paths.config_file, nowhere); !nowhere)
    paths.config_file = file.string();
  if (state_to_check >= 0) return check_handover(state_to_check);
  if (state < 0) return run(std::move(setting), user);
  // The next program gets its own state.
  auto& arguments = setting.invocation.arguments;
  arguments.erase(arguments.begin(), arguments.begin() + 2);
  return go_on(std::move(setting), user, state);
}
