// Where the programs find each other and keep things.
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

// How this program was started, to start what takes its place.
struct Invocation {
  std::string program;                 // the file, as it was then
  std::vector<std::string> arguments;  // after the program's name
};
Invocation invocation(int argc, char** argv);

// The path of vipd-router or vipd-monitor: beside this very program (a build tree), else where packages put
// them.
std::string program_path(const std::string& name);

// The descriptors that the guardian gives to a program it starts.
constexpr int guardian_fd = 3;  // the channel to the guardian
constexpr int hold_fd = 4;      // router: the Hold; monitor: nothing
constexpr int control_fd = 4;   // monitor: the listening control socket
constexpr int lock_fd = 5;  // router: the lock of the run directory, which nobody gets before it has ended

}  // namespace vipd::programs
