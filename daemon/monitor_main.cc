// vipd-monitor: the program that runs the health checks and serves the control socket. Started by vipd.
#include "daemon/child_main.h"
#include "daemon/monitor.h"

int main(int argc, char** argv) {
  auto start = vipd::daemon::start_child("vipd-monitor", argc, argv);
  if (!start) return 2;
  vipd::daemon::Log log("vipd-monitor", start->level);
  vipd::daemon::Monitor monitor(log, std::move(start->guardian), std::move(start->second));
  return monitor.run();
}
