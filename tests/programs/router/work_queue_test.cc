// In which order a router changes addresses and sends packets. The queues here have slices of three changes;
// `made()` lets the kernel make whole slices, and writes down what happens.
#include "programs/router/work_queue.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
using Story = std::vector<std::string>;

vrrp::RouterKey key(vrrp::Vrid vrid) {
  return {"eth0", vrid, Family::ipv4};
}

// The nth address of a virtual router.
Prefix address(vrrp::Vrid vrid, int n) {
  return Prefix::parse(fmt::format("192.0.{}.{}/24", vrid, n)).value();
}

vrrp::Resource resource(vrrp::Vrid vrid, int n, Duration valid = {}) {
  return vrrp::VirtualAddress{"eth0", address(vrid, n), valid};
}

vrrp::Action add(vrrp::Vrid vrid, int n) {
  return vrrp::Put{key(vrid), resource(vrid, n, 10s)};
}
vrrp::Action remove(vrrp::Vrid vrid, int n) {
  return vrrp::Drop{key(vrid), resource(vrid, n)};
}
vrrp::Action renew(vrrp::Vrid vrid, const std::vector<int>& numbers) {
  vrrp::Renew action{key(vrid), {}};
  for (const int n : numbers) action.resources.push_back(resource(vrid, n, 20s));
  return action;
}
vrrp::Action send(vrrp::Vrid vrid, vrrp::Priority priority = 100) {
  return vrrp::SendAdvertisement{key(vrid), "eth0", priority, {}, {}, {}};
}
vrrp::Action announce(vrrp::Vrid vrid, int n) {
  return vrrp::Announce{key(vrid), "eth0", address(vrid, n).address, {}};
}

// What a virtual router with so many addresses does when it becomes Active.
vrrp::Actions rise(vrrp::Vrid vrid, int addresses) {
  vrrp::Actions actions;
  for (int n = 1; n <= addresses; ++n) actions.push_back(add(vrid, n));
  for (int n = 1; n <= addresses; ++n) actions.push_back(announce(vrid, n));
  actions.push_back(send(vrid));
  return actions;
}

vrrp::Actions all_of(std::initializer_list<vrrp::Actions> lists) {
  vrrp::Actions all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::string number(const IpAddress& address) {
  return fmt::format("{}.{}", address.octets[2], address.octets[3]);
}

void tell(Story& story, const std::vector<ResourceChange>& changes) {
  for (const auto& change : changes) {
    const auto& address = std::get<vrrp::VirtualAddress>(change.resource);
    story.push_back((!change.put            ? "remove "
                     : address.valid == 20s ? "renew "
                                            : "add ") +
                    number(address.prefix.address));
  }
}

// In the order in which Effects sends them after a slice.
void tell(Story& story, const Messages& messages) {
  for (const auto& each : messages.announcements) story.push_back("announce " + number(each.address));
  for (const auto& each : messages.advertisements)
    story.push_back(fmt::format("advertise {}:{}", each.router.vrid, each.priority));
}

Story told(const Messages& messages) {
  Story story;
  tell(story, messages);
  return story;
}

// One slice, of which the kernel makes so many changes.
Story slice(WorkQueue& queue, std::size_t at_most = 99) {
  Story story;
  auto changes = queue.slice();
  if (changes.size() > at_most) changes.resize(at_most);
  tell(story, changes);
  tell(story, queue.finish(changes.size()));
  return story;
}

Story made(WorkQueue& queue) {
  Story story;
  for (int slices = 0; !queue.empty(); ++slices) {
    REQUIRE(slices < 100);
    for (auto& each : slice(queue)) story.push_back(std::move(each));
  }
  return story;
}

std::size_t place(const Story& story, const std::string& what) {
  const auto found = std::find(story.begin(), story.end(), what);
  REQUIRE_MESSAGE(found != story.end(), what);
  return static_cast<std::size_t>(found - story.begin());
}
}  // namespace

// --- the order ----------------------------------------------------------------------------------------

TEST_CASE("work queue: addresses come before their announcements, and these before the advertisement") {
  WorkQueue queue(3);
  CHECK(told(queue.add(rise(1, 2))) == Story{});
  CHECK(queue.urgent());
  CHECK(made(queue) == Story{"add 1.1", "add 1.2", "announce 1.1", "announce 1.2", "advertise 1:100"});
}

TEST_CASE("work queue: an advertisement waits for one slice of its addresses, not for all") {
  WorkQueue queue(3);
  queue.add(rise(1, 7));
  CHECK(made(queue) == Story{"add 1.1", "add 1.2", "add 1.3",  //
                             "announce 1.1", "announce 1.2", "announce 1.3", "advertise 1:100", "add 1.4",
                             "add 1.5", "add 1.6",  //
                             "announce 1.4", "announce 1.5", "announce 1.6", "add 1.7", "announce 1.7"});
}

TEST_CASE("work queue: the first slice of every virtual router comes before the second of any") {
  WorkQueue queue(3);
  queue.add(all_of({rise(1, 4), rise(2, 4), rise(3, 1)}));
  const auto story = made(queue);
  for (const auto* last_of_the_first : {"advertise 1:100", "advertise 2:100", "advertise 3:100"})
    for (const auto* second : {"add 1.4", "add 2.4"})
      CHECK(place(story, last_of_the_first) < place(story, second));
  CHECK(place(story, "add 3.1") < place(story, "advertise 3:100"));
}

TEST_CASE("work queue: a virtual router that becomes Active precedes the further slices of earlier ones") {
  WorkQueue queue(3);
  queue.add(rise(1, 9));
  slice(queue);
  CHECK_FALSE(queue.urgent());
  queue.add(rise(2, 1));
  CHECK(queue.urgent());
  CHECK(slice(queue) == Story{"add 2.1", "announce 2.1", "advertise 2:100"});
  CHECK(slice(queue).front() == "add 1.4");
}

TEST_CASE("work queue: every address is announced once, whatever the number of addresses") {
  for (int addresses = 1; addresses <= 10; ++addresses) {
    WorkQueue queue(3);
    queue.add(rise(1, addresses));
    const auto story = made(queue);
    CHECK(story.size() == 2 * static_cast<std::size_t>(addresses) + 1);
    for (int n = 1; n <= addresses; ++n)
      CHECK(place(story, fmt::format("add 1.{}", n)) < place(story, fmt::format("announce 1.{}", n)));
  }
}

TEST_CASE("work queue: a slice is never larger than the kernel should get at once") {
  WorkQueue queue(3);
  queue.add(all_of({rise(1, 8), rise(2, 2)}));
  while (!queue.empty()) {
    const auto changes = queue.slice();
    CHECK(changes.size() <= 3);
    queue.finish(changes.size());
  }
}

// --- what waits for nothing ---------------------------------------------------------------------------

TEST_CASE("work queue: without changes, messages leave at once") {
  WorkQueue queue(3);
  CHECK(told(queue.add({announce(1, 1), send(1), send(2)})) ==
        Story{"announce 1.1", "advertise 1:100", "advertise 2:100"});
  CHECK(queue.empty());
}

TEST_CASE("work queue: the regular advertisement of a router that still adds addresses leaves at once") {
  WorkQueue queue(3);
  queue.add(rise(1, 9));
  CHECK(told(queue.add({send(1, 90)})) == Story{"advertise 1:90"});
}

TEST_CASE("work queue: announcements of a router that still adds addresses wait for these") {
  WorkQueue queue(3);
  queue.add(rise(1, 4));
  CHECK(told(queue.add({announce(1, 4)})) == Story{});
  const auto story = made(queue);
  CHECK(story.back() == "announce 1.4");
  CHECK(std::count(story.begin(), story.end(), "announce 1.4") == 2);
}

TEST_CASE("work queue: one router's addresses do not hold up the packets of another") {
  WorkQueue queue(3);
  queue.add(rise(1, 9));
  CHECK(told(queue.add({announce(2, 1), send(2)})) == Story{"announce 2.1", "advertise 2:100"});
}

TEST_CASE("work queue: a probe leaves as announcements do") {
  WorkQueue queue(3);
  CHECK(told(queue.add({vrrp::Probe{key(1), "eth0", address(1, 7).address, {}}})) == Story{"announce 1.7"});
}

TEST_CASE("work queue: actions that need no system call leave nothing behind") {
  WorkQueue queue(3);
  CHECK(told(queue.add({vrrp::StateChanged{}, vrrp::Noted{}, vrrp::AdvertisementDiscarded{},
                        vrrp::IdentifySender{}})) == Story{});
  CHECK(queue.empty());
}

// --- renewals -----------------------------------------------------------------------------------------

TEST_CASE("work queue: renewals come after everything else, and delay no advertisement") {
  WorkQueue queue(3);
  CHECK(told(queue.add({renew(1, {1, 2, 3, 4}), send(1)})) == Story{"advertise 1:100"});
  CHECK_FALSE(queue.urgent());
  queue.add(rise(2, 1));
  CHECK(made(queue) == Story{"add 2.1", "announce 2.1", "advertise 2:100",  //
                             "renew 1.1", "renew 1.2", "renew 1.3", "renew 1.4"});
}

TEST_CASE("work queue: a router that leaves does not renew the addresses that it removes") {
  WorkQueue queue(3);
  queue.add({renew(1, {1, 2})});
  queue.add({remove(1, 1), remove(1, 2)});
  CHECK(made(queue) == Story{"remove 1.1", "remove 1.2"});
}

// --- superseding --------------------------------------------------------------------------------------

TEST_CASE("work queue: a router that leaves before its addresses are there neither adds nor announces them") {
  WorkQueue queue(3);
  queue.add(rise(1, 7));
  slice(queue);
  queue.add(
      {remove(1, 1), remove(1, 2), remove(1, 3), remove(1, 4), remove(1, 5), remove(1, 6), remove(1, 7)});
  CHECK(made(queue) == Story{"remove 1.1", "remove 1.2", "remove 1.3", "remove 1.4", "remove 1.5",
                             "remove 1.6", "remove 1.7"});
}

TEST_CASE("work queue: a router that leaves before its first slice is made does not advertise as Active") {
  WorkQueue queue(3);
  queue.add(rise(1, 2));
  queue.add({remove(1, 1), remove(1, 2), send(1, 0)});
  CHECK(made(queue) == Story{"remove 1.1", "remove 1.2", "advertise 1:0"});
}

TEST_CASE("work queue: a change replaces the waiting change of the same address, and no other") {
  WorkQueue queue(3);
  queue.add(rise(1, 6));
  queue.add({add(1, 5)});
  const auto story = made(queue);
  CHECK(std::count(story.begin(), story.end(), "add 1.5") == 1);
  for (const auto* other : {"add 1.1", "add 1.4", "add 1.6", "announce 1.5", "advertise 1:100"})
    CHECK(std::count(story.begin(), story.end(), other) == 1);
}

TEST_CASE("work queue: a router that leaves supersedes nothing of another router") {
  WorkQueue queue(3);
  queue.add(all_of({rise(1, 1), rise(2, 1)}));
  queue.add({remove(1, 1)});
  CHECK(made(queue) == Story{"add 2.1", "remove 1.1", "announce 2.1", "advertise 2:100"});
}

TEST_CASE("work queue: a router that returns at once ends with its addresses") {
  WorkQueue queue(3);
  queue.add(rise(1, 4));
  queue.add({remove(1, 1), remove(1, 2), remove(1, 3), remove(1, 4)});
  queue.add(rise(1, 4));
  const auto story = made(queue);
  for (int n = 1; n <= 4; ++n) {
    CHECK(std::count(story.begin(), story.end(), fmt::format("remove 1.{}", n)) == 0);
    CHECK(std::count(story.begin(), story.end(), fmt::format("announce 1.{}", n)) == 1);
  }
}

// --- partial completion -------------------------------------------------------------------------------

TEST_CASE("work queue: what a slow kernel has not done comes first in the next slice") {
  WorkQueue queue(3);
  queue.add(rise(1, 5));
  CHECK(slice(queue, 1) == Story{"add 1.1"});
  CHECK(slice(queue, 1) == Story{"add 1.2"});
  CHECK(slice(queue, 1) ==
        Story{"add 1.3", "announce 1.1", "announce 1.2", "announce 1.3", "advertise 1:100"});
  CHECK(slice(queue, 1) == Story{"add 1.4"});
  CHECK(slice(queue) == Story{"add 1.5", "announce 1.4", "announce 1.5"});
  CHECK(queue.empty());
}

TEST_CASE("work queue: a kernel that does nothing loses nothing") {
  WorkQueue queue(3);
  queue.add(rise(1, 2));
  CHECK(slice(queue, 0) == Story{});
  CHECK(slice(queue, 0) == Story{});
  CHECK(made(queue) == Story{"add 1.1", "add 1.2", "announce 1.1", "announce 1.2", "advertise 1:100"});
}

TEST_CASE("work queue: the packets of routers whose changes are done do not wait for the others") {
  WorkQueue queue(3);
  queue.add(all_of({rise(1, 1), rise(2, 1), rise(3, 1)}));
  CHECK(slice(queue, 2) ==
        Story{"add 1.1", "add 2.1", "announce 1.1", "announce 2.1", "advertise 1:100", "advertise 2:100"});
  CHECK(slice(queue) == Story{"add 3.1", "announce 3.1", "advertise 3:100"});
}
