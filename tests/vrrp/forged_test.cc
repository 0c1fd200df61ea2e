// The effects of one forged advertisement. Priority 100, interval 100 cs, unless stated.
#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
Bench active(VirtualRouterConfig config = c4()) {
  Bench bench({std::move(config)});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == StateName::active);
  bench.wait(10ms);
  return bench;
}

std::vector<std::string> notes(const Bench& bench, std::string_view event) {
  std::vector<std::string> texts;
  for (const auto& [when, action] : bench.log)
    if (const auto* noted = std::get_if<Noted>(&action); noted && noted->event == event)
      texts.push_back(noted->text);
  return texts;
}

constexpr Centiseconds longest{4095};
}  // namespace

TEST_CASE(
    "one forged claim of priority 255 and the longest interval costs an Active 1.5 intervals and Skew_Time") {
  auto bench = active();
  bench.hear({.priority = 255, .source = "192.0.2.66", .interval = longest});
  CHECK(bench.state() == StateName::backup);
  CHECK(bench.status().on_trial);
  CHECK(bench.timer() == 1500ms + 609'375us);
  bench.wait(bench.timer());
  CHECK(bench.state() == StateName::active);
  CHECK(bench.status().reason == "192.0.2.66 claimed to be Active and was not heard again");
  CHECK(notes(bench, "false_claim") ==
        Lines{"192.0.2.66 claimed to be Active and was not heard again (1 time so far): if no node has this "
              "address, another host forges advertisements"});
}

TEST_CASE("each further claim of that sender costs the same, and is counted") {
  auto bench = active();
  for (int i = 1; i <= 3; ++i) {
    bench.hear({.priority = 255, .source = "192.0.2.66"});
    CHECK(bench.timer() == 1500ms + 609'375us);
    bench.wait(bench.timer());
    REQUIRE(bench.state() == StateName::active);
    bench.wait(10ms);
  }
  CHECK(notes(bench, "false_claim").back().find("3 times so far") != std::string::npos);
}

TEST_CASE("a second claim after a false one is reported once with its MAC address") {
  auto bench = active();
  bench.hear({.priority = 255, .source = "192.0.2.66"});
  const auto lines = bench.wait(bench.timer());
  CHECK(std::count(lines.begin(), lines.end(), "identify 192.0.2.66") == 1);
  const SenderIdentified identified{"eth0", ip("192.0.2.66"), mac("02:00:00:00:00:65")};
  CHECK(bench.step(identified) == Lines{"note sender_identified"});
  CHECK(
      notes(bench, "sender_identified").back() ==
      "192.0.2.66 (MAC address 02:00:00:00:00:65) claims to be Active again, as it has done falsely before");
  CHECK(bench.step(identified).empty());
  bench.hear({.priority = 255, .source = "192.0.2.66"});
  bench.wait(bench.timer());
  CHECK(notes(bench, "false_claim").back() ==
        "192.0.2.66 (MAC address 02:00:00:00:00:65) claimed to be Active and was not heard again (2 times so "
        "far): if no node has this address, another host forges advertisements");
}

TEST_CASE("a router that was never heard and answers is waited for as RFC 9568 says") {
  auto bench = active();
  bench.hear({.priority = 200});
  CHECK(bench.status().on_trial);
  bench.now += 200us;
  bench.hear({.priority = 200});
  CHECK_FALSE(bench.status().on_trial);
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("... and so is one that does not answer but advertises when it is due") {
  auto bench = active();
  bench.hear({.priority = 200});
  bench.wait(1400ms);
  CHECK(bench.state() == StateName::backup);
  bench.hear({.priority = 200});
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("an Active gives way to a router that it knows for a whole Active_Down_Interval") {
  Bench bench({c4()});
  bench.hear({.priority = 200});
  bench.hear({.priority = 200});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == StateName::active);
  bench.hear({.priority = 200});
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("a farewell does not make its sender known: its claim is on trial") {
  auto bench = active();
  for (int i = 0; i < 5; ++i) bench.hear({.priority = 0, .source = "192.0.2.66"});
  bench.hear({.priority = 255, .source = "192.0.2.66"});
  CHECK(bench.status().on_trial);
  CHECK(bench.timer() == 1500ms + 609'375us);
}

TEST_CASE("a claim that another Active answers ends the trial: its timer counts") {
  auto bench = active();
  bench.hear({.priority = 255, .source = "192.0.2.66", .interval = longest});
  bench.hear({.priority = 200, .source = "192.0.2.3"});
  CHECK_FALSE(bench.status().on_trial);
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE(
    "an adopted interval is bounded by max_adopted_interval, by default three of our own, and this is "
    "reported") {
  Bench bench({c4()});
  bench.hear({.priority = 200, .interval = longest});
  CHECK(bench.status().active_adver_interval == 3s);
  CHECK(bench.timer() == 3 * 3s + 3 * 609'375us);
  CHECK(notes(bench, "interval_bounded") ==
        Lines{"192.0.2.2 advertises every 40.95s, more than max_adopted_interval (3s): until it has done so "
              "for a while, this node times its silence by 3s. If the interval is right, set "
              "max_adopted_interval: 40.95s"});
  auto wide = c4();
  wide.max_adopted_interval = longest;
  Bench trusting({wide});
  trusting.hear({.priority = 200, .interval = longest});
  CHECK(trusting.status().active_adver_interval == longest);
  CHECK(notes(trusting, "interval_bounded").empty());
}

TEST_CASE("an interval beyond the bound counts after three advertisements in more than twice the bound") {
  Bench bench({c4()});
  for (int i = 0; i < 3; ++i) {
    bench.hear({.priority = 200, .interval = Centiseconds{800}});
    CHECK(bench.status().active_adver_interval == (i < 2 ? 3s : 8s));
    bench.wait(8s);
    CHECK(bench.state() == StateName::backup);
  }
  // Many in a short time show nothing.
  Bench flooded({c4()});
  for (int i = 0; i < 100; ++i) flooded.hear({.priority = 200, .interval = longest});
  CHECK(flooded.status().active_adver_interval == 3s);
}

TEST_CASE("a reload with another bound counts from the next advertisement on") {
  Bench bench({c4()});
  bench.hear({.priority = 200, .interval = Centiseconds{800}});
  auto wide = c4();
  wide.max_adopted_interval = 10s;
  bench.configure({wide});
  bench.hear({.priority = 200, .interval = Centiseconds{800}});
  CHECK(bench.status().active_adver_interval == 8s);
}

TEST_CASE("a flood of made-up sources does not make a known router unknown") {
  Bench bench({c4()});
  bench.hear({.priority = 200});
  bench.hear({.priority = 200});
  for (int i = 10; i < 250; ++i) bench.hear({.priority = 50, .source = "192.0.2." + std::to_string(i)});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == StateName::active);
  bench.hear({.priority = 200});
  CHECK_FALSE(bench.status().on_trial);
}

TEST_CASE("5.2.8 checksum auto: a single message of the other form changes nothing, a peer that stays does") {
  const auto form = [](const Bench& bench) { return bench.status().checksum; };
  auto bench = active();
  for (int i = 0; i < 50; ++i) bench.hear({.priority = 50, .checksum = ChecksumForm::rfc9568});
  CHECK(form(bench) == ChecksumForm::pseudo_header);
  bench.wait(600ms);
  bench.hear({.priority = 0, .checksum = ChecksumForm::pseudo_header});  // the true peers are still there
  bench.wait(600ms);
  bench.hear({.priority = 50, .checksum = ChecksumForm::rfc9568});
  CHECK(form(bench) == ChecksumForm::pseudo_header);
  for (int i = 0; i < 2; ++i) {
    bench.wait(1s);
    bench.hear({.priority = 50, .checksum = ChecksumForm::rfc9568});
  }
  CHECK(form(bench) == ChecksumForm::rfc9568);
}
