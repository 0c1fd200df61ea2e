// The guardian's thread for renewals: it never makes its owner wait, unless that asks for it.
#include "programs/guardian/address_thread.h"

#include <net/if.h>

#include "tests/network.h"

using namespace vipd;
using namespace vipd::programs;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

struct Host {
  Port port{"port7"};
  AddressThread thread;

  // So many that the kernel has to work for them.
  std::vector<netlink::AddressChange> many(int count) const {
    std::vector<netlink::AddressChange> changes(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      auto& change = changes[static_cast<std::size_t>(i)];
      change.interface_index = if_nametoindex("port7");
      change.prefix = Prefix::parse("2001:db8::" + std::to_string(1000 + i) + "/64").value();
      change.valid = 60s;
    }
    return changes;
  }
  static std::size_t there() {
    const auto lines = output_of("ip -6 -o addr show dev port7 to 2001:db8::/32");
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n'));
  }
};

}  // namespace

TEST_CASE("what is renewed is renewed, and whoever asks for it does not wait") {
  Host host;
  const auto begun = io::now();
  host.thread.renew(host.many(800));
  const auto asking = io::now() - begun;
  host.thread.renew(host.many(1));
  while (Host::there() < 800 && io::now() - begun < 20s) std::this_thread::sleep_for(10ms);
  const auto working = io::now() - begun;
  CHECK(Host::there() == 800);
  CHECK(asking < working / 4);
  CHECK(host.thread.take_errors().empty());
}

TEST_CASE("after settle() nothing changes any more") {
  Host host;
  host.thread.renew(host.many(300));
  host.thread.renew(host.many(600));
  host.thread.settle();
  const auto there = Host::there();
  CHECK(there <= 600);
  std::this_thread::sleep_for(50ms);
  CHECK(Host::there() == there);
}

TEST_CASE("what the kernel refuses is told once") {
  Host host;
  auto changes = host.many(1);
  changes.front().interface_index = 4711;
  host.thread.renew(changes);
  std::vector<std::string> errors;
  for (const auto until = io::now() + 5s; errors.empty() && io::now() < until;) {
    errors = host.thread.take_errors();
    std::this_thread::sleep_for(1ms);
  }
  REQUIRE(errors.size() == 1);
  CHECK(contains(errors.front(), "No such device"));
  CHECK(host.thread.take_errors().empty());
}
