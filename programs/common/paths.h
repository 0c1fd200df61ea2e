// The paths and descriptors by which the programs find each other and their files.
#pragma once

#include <string>
#include <vector>

namespace vipd::programs {

struct Paths {
  std::string config_file = "/etc/vipd/vipd.yaml";
  std::string run_dir = "/run/vipd";        // control socket, lock
  std::string state_dir = "/var/lib/vipd";  // survives a boot

  std::string control_socket() const { return run_dir + "/control"; }
  std::string lock_file() const { return run_dir + "/lock"; }
  std::string events_directory() const { return state_dir + "/events"; }
};

// The command line of this program, for starting its replacement.
struct Invocation {
  std::string program;                 // the program file at that time
  std::vector<std::string> arguments;  // after the program's name
};
Invocation invocation(int argc, char** argv);

// The path of vipd-router or vipd-monitor: beside the running program (a build tree), otherwise where
// packages install them.
std::string program_path(const std::string& name);

// The numbers of the descriptors that the guardian gives to a program it starts.
constexpr int guardian_fd = 3;  // the channel to the guardian
constexpr int hold_fd = 4;      // router: the Hold; monitor: nothing
constexpr int control_fd = 4;   // monitor: the listening control socket
constexpr int lock_fd = 5;      // router: the lock of the run directory, held until the router ends

}  // namespace vipd::programs
