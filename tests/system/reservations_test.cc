// Two vipd in one network namespace: what only one of them may have.
#include "programs/guardian/reservations.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>

#include "programs/guardian/handover.h"
#include "tests/network.h"
#include "tests/system/limits.h"

using namespace vipd;
using namespace vipd::programs;
using namespace vipd::test;

namespace {
vrrp::VirtualRouterConfig router(const std::string& name, vrrp::Vrid vrid,
                                 const std::string& interface = "eth0", Family family = Family::ipv4) {
  vrrp::VirtualRouterConfig config;
  config.name = name;
  config.key = {interface, vrid, family};
  return config;
}

// Another process, which does this and then stays until it is killed.
class Other {
 public:
  explicit Other(const std::function<void()>& deed) {
    std::array<int, 2> ends{};
    REQUIRE(pipe2(ends.data(), O_CLOEXEC) == 0);
    pid_ = fork();
    if (pid_ == 0) {
      deed();
      [[maybe_unused]] const auto told = write(ends[1], "x", 1);
      while (true) pause();
    }
    char told = 0;
    REQUIRE(read(ends[0], &told, 1) == 1);
    close(ends[0]);
    close(ends[1]);
  }
  Other(const Other&) = delete;
  ~Other() { end(); }

  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_ = -1;
};
}  // namespace

TEST_CASE("a virtual router that another vipd serves is refused with its process number and the remedy") {
  require_own_namespace();
  Reservations theirs;
  Other other([&] { REQUIRE(theirs.take({router("web", 51), router("mail", 52)})); });
  Reservations ours;
  const auto refused = ours.take({router("new", 7), router("edge", 51)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EADDRINUSE);
  CHECK(refused.error().message ==
        "edge: VRID 51 on eth0 (IPv4) is served by another vipd in this network namespace (process " +
            std::to_string(other.pid()) +
            "): stop that one first, or remove the virtual router from one of the two configurations");
  CHECK_MESSAGE(ours.descriptors().empty(), "all or nothing");

  other.end();
  CHECK_MESSAGE(ours.take({router("edge", 51)}), "the kernel takes back what the dead had");
}

TEST_CASE("other VRIDs, interfaces and families are no conflict") {
  require_own_namespace();
  Reservations theirs;
  const Other other([&] { REQUIRE(theirs.take({router("web", 51)})); });
  Reservations ours;
  CHECK(ours.take({router("web", 52), router("web", 51, "eth1"), router("web", 51, "eth0", Family::ipv6)}));
  CHECK(ours.descriptors().size() == 3);
}

TEST_CASE("an address that another vipd serves is refused, whatever the VRID") {
  require_own_namespace();
  auto web = router("web", 51);
  web.addresses = {*Prefix::parse("192.0.2.10/24")};
  Reservations theirs;
  const Other other([&] { REQUIRE(theirs.take({web})); });
  auto edge = router("edge", 54);
  edge.addresses = {*Prefix::parse("192.0.2.11/24"), *Prefix::parse("192.0.2.10/32")};
  Reservations ours;
  const auto refused = ours.take({edge});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EADDRINUSE);
  CHECK(refused.error().message.starts_with(
      "edge: 192.0.2.10 on eth0 is served by another vipd in this network namespace (process "));
  edge.addresses.pop_back();
  CHECK(ours.take({edge}));
}

TEST_CASE("a reload releases removed claims, and never gives up those that stay") {
  require_own_namespace();
  Reservations ours;
  REQUIRE(ours.take({router("web", 51), router("mail", 52)}));
  const auto before = ours.descriptors();
  REQUIRE(ours.take({router("mail", 52), router("new", 53)}));
  ours.keep_only({router("mail", 52), router("new", 53)});
  Reservations theirs;
  CHECK(theirs.take({router("web", 51)}));
  CHECK_FALSE(theirs.take({router("mail", 52)}));
  const auto after = ours.descriptors();
  CHECK(std::count_if(after.begin(), after.end(), [&](int fd) {
          return std::find(before.begin(), before.end(), fd) != before.end();
        }) == 1);
}

TEST_CASE("the program that replaces this one has its claims") {
  require_own_namespace();
  Reservations before;
  REQUIRE(before.take({router("web", 51)}));
  REQUIRE(before.take_lease());
  Reservations after;
  for (const int fd : before.descriptors()) after.adopt(io::Fd(dup(fd)));
  before = Reservations{};
  Reservations theirs;
  CHECK_FALSE(theirs.take({router("web", 51)}));
  CHECK_FALSE(theirs.take_lease());
  CHECK_MESSAGE(after.take({router("web", 51)}), "its own");
  after.give_lease_back();
  CHECK(theirs.take_lease());
}

TEST_CASE("thousands of virtual routers are claimed, also where few descriptors were allowed") {
  require_own_namespace();
  const Limit few(RLIMIT_NOFILE, 256);
  std::vector<vrrp::VirtualRouterConfig> routers;
  for (int interface = 0; interface < 8; ++interface)
    for (int vrid = 1; vrid <= 255; ++vrid)
      for (const auto family : {Family::ipv4, Family::ipv6})
        routers.push_back(
            router("many", static_cast<vrrp::Vrid>(vrid), "eth" + std::to_string(interface), family));
  Reservations ours;
  const auto done = ours.take(routers);
  CHECK_MESSAGE(done, done.error().message);
  CHECK(ours.descriptors().size() == routers.size());
}

TEST_CASE("that there are no descriptors left is said, and is no conflict") {
  require_own_namespace();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const auto said = errors_of([&] {
    const auto next = one_more();
    const rlimit none{next, next};
    setrlimit(RLIMIT_NOFILE, &none);
    Reservations ours;
    const auto done = ours.take({router("web", 51), router("mail", 52)});
    std::fprintf(stderr, "%s; %zu", done.error().message.c_str(), ours.descriptors().size());
  });
  CHECK(said == "claiming vipd/52/IPv4/eth0: Too many open files; 1");
}
