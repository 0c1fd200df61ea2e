// vipd-monitor: the program that runs the health checks and serves the control socket. Started by vipd.
#include "programs/common/child_main.h"
#include "programs/common/sandbox.h"
#include "programs/monitor/monitor.h"

int main(int argc, char** argv) {
  using namespace vipd::programs;
  auto start = start_child("vipd-monitor", argc, argv);
  if (!start) return 2;
  Log log("vipd-monitor", start->level);
  if (start->sandbox) enter_sandbox(log, Part::monitor, start->events_directory);
  Monitor monitor(log, std::move(start->guardian), std::move(start->second));
  return monitor.run();
}
