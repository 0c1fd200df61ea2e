// vipd-router: the program that speaks VRRP. Started by vipd.
#include "programs/common/child_main.h"
#include "programs/common/sandbox.h"
#include "programs/common/scheduling.h"
#include "programs/router/router.h"

int main(int argc, char** argv) {
  using namespace vipd::programs;
  auto start = start_child("vipd-router", argc, argv);
  if (!start) return 2;
  Log log("vipd-router", start->level);
  ask_for_priority(log);
  if (start->sandbox) enter_sandbox(log, Part::router);
  auto hold = Hold::adopt(std::move(start->second));
  if (!hold) return log.error(hold.error().message), 1;
  auto router = Router::create(log, std::move(start->guardian), std::move(*hold));
  if (!router) return log.error(router.error().message), 1;
  return (*router)->run();
}
