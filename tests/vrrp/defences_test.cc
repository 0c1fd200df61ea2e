// The memory behind the rules against forged advertisements; forged_test.cc has their effects on a virtual
// router. Interval 1 s, max_adopted_interval 3 s.
#include "vrrp/defences.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
const IpAddress peer = ip("192.0.2.2");
const IpAddress forger = ip("192.0.2.66");

struct Node {
  VirtualRouterConfig config = c4();
  Defences defences;
  TimePoint now{1000s};

  void hear(const IpAddress& source, Priority priority = 200, Centiseconds interval = Centiseconds{100},
            ChecksumForm form = ChecksumForm::pseudo_header) {
    Advertisement advertisement{.priority = priority, .interval = interval, .checksum = form};
    defences.heard(now, config, source, advertisement, false);
    now += 1s;
  }
};
}  // namespace

TEST_CASE("defences: a router that has been heard twice needs no trial, a stranger does") {
  Node node;
  CHECK(node.defences.needs_trial(peer));
  node.hear(peer);
  CHECK(node.defences.needs_trial(peer));
  node.hear(peer);
  CHECK_FALSE(node.defences.needs_trial(peer));
  CHECK(node.defences.needs_trial(forger));
}

TEST_CASE("defences: farewells do not make their sender known") {
  Node node;
  for (int i = 0; i < 5; ++i) node.hear(forger, release_priority);
  CHECK(node.defences.needs_trial(forger));
}

TEST_CASE(
    "defences: a trial takes one and a half of our intervals and Skew_Time, whatever interval is claimed") {
  Node node;
  const Duration skew = skew_time(100, 1s);
  CHECK(node.defences.begin_trial(40s, node.config, 100) == 1500ms + skew);
  CHECK(node.defences.on_trial());
  CHECK(node.defences.begin_trial(100ms, node.config, 100) == 600ms + skew);
}

TEST_CASE("defences: of several nodes that wait for a trial to end, the best comes first") {
  Node node;
  CHECK(node.defences.begin_trial(1s, node.config, 200) < node.defences.begin_trial(1s, node.config, 100));
}

TEST_CASE("defences: a sender that fails its trial is a stranger again, and each failure is counted") {
  Node node;
  node.hear(forger);
  node.hear(forger);
  node.defences.begin_trial(1s, node.config, 100);
  CHECK(node.defences.fail_trial(forger) == 1);
  CHECK_FALSE(node.defences.on_trial());
  CHECK(node.defences.needs_trial(forger));
  CHECK(node.defences.fail_trial(forger) == 2);
}

TEST_CASE("defences: with another state the trial and the first lease are over") {
  Node node;
  node.defences.begin_trial(1s, node.config, 100);
  node.defences.took_over_from_active();
  node.defences.state_entered();
  CHECK_FALSE(node.defences.on_trial());
  CHECK(node.defences.lease(1s) == lease_duration(1s));
}

TEST_CASE("defences: the first lease ends before a trial of us can, and lasts until we advertise again") {
  Node node;
  node.defences.took_over_from_active();
  CHECK(node.defences.lease(1s) < node.defences.begin_trial(1s, node.config, 254));
  CHECK(node.defences.lease(1s) == 1400ms);
  node.defences.advertised();
  CHECK(node.defences.lease(1s) == 2500ms);
}

TEST_CASE(
    "defences: an interval above max_adopted_interval counts only after it has been advertised for a while") {
  Node node;
  node.config.max_adopted_interval = 3s;
  for (int i = 0; i < 6; ++i) {
    node.hear(peer, 200, Centiseconds{4000});
    CHECK(node.defences.interval_of(peer, node.config) == 3s);
  }
  node.hear(peer, 200, Centiseconds{4000});
  node.hear(peer, 200, Centiseconds{4000});
  CHECK(node.defences.interval_of(peer, node.config) == 40s);
}

TEST_CASE("defences: an adoption continues with the peer, and with the checksum form of the predecessor") {
  Node node;
  RouterSnapshot snapshot;
  snapshot.peer = Peer{peer, 200, Centiseconds{100}, node.now};
  snapshot.checksum_heard = ChecksumForm::rfc9568;
  node.defences.adopt(node.now, node.config, snapshot);
  CHECK_FALSE(node.defences.needs_trial(peer));
  CHECK(node.defences.checksum_form() == ChecksumForm::rfc9568);
}

TEST_CASE("defences: an adoption does not accept a long interval that the predecessor had not accepted") {
  Node node;
  node.config.max_adopted_interval = 3s;
  RouterSnapshot snapshot;
  snapshot.peer = Peer{peer, 200, Centiseconds{4000}, node.now};
  snapshot.active_adver_interval = 1s;
  node.defences.adopt(node.now, node.config, snapshot);
  CHECK(node.defences.interval_of(peer, node.config) == 3s);
  snapshot.active_adver_interval = 40s;
  node.defences.adopt(node.now, node.config, snapshot);
  CHECK(node.defences.interval_of(peer, node.config) == 40s);
}

TEST_CASE("defences: one message with the other form of checksum changes nothing") {
  Node node;
  node.hear(peer, 200, Centiseconds{100}, ChecksumForm::rfc9568);
  CHECK(node.defences.checksum_form() == ChecksumForm::rfc9568);
  node.hear(forger, 200, Centiseconds{100}, ChecksumForm::pseudo_header);
  CHECK(node.defences.checksum_form() == ChecksumForm::rfc9568);
}

TEST_CASE("defences: a sender is named with its MAC address once that is known") {
  Node node;
  node.hear(forger);
  CHECK(node.defences.name_of(forger) == "192.0.2.66");
  CHECK(node.defences.identified(forger, mac("02:00:00:00:00:65")));
  CHECK_FALSE(node.defences.identified(forger, mac("02:00:00:00:00:65")));
  CHECK(node.defences.name_of(forger) == "192.0.2.66 (MAC address 02:00:00:00:00:65)");
}
