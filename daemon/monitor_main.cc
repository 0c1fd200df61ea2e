// vipd-monitor: the program that runs the health checks and serves the control socket. Started by vipd.
#include "daemon/child_main.h"
#include "daemon/monitor.h"
#include "daemon/sandbox.h"

int main(int argc, char** argv) {
  using namespace vipd::daemon;
  auto start = start_child("vipd-monitor", argc, argv);
  if (!start) return 2;
  Log log("vipd-monitor", start->level);
  if (start->sandbox) enter_sandbox(log, Part::monitor, start->events_directory);
  Monitor monitor(log, std::move(start->guardian), std::move(start->second));
  return monitor.run();
}
