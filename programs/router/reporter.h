// Reporter: reports the decisions of the engine: a line in the log, and events for the guardian, which passes
// them on to hooks, the journal and clients. Reports that the network can cause are rate-limited; counters
// stay exact.
#pragma once

#include "programs/common/guardian_router_messages.h"
#include "programs/common/link.h"
#include "programs/common/log.h"
#include "vrrp/action.h"

namespace vipd::programs {

class Reporter {
 public:
  Reporter(Log& log, Link<RouterToGuardian, GuardianToRouter>& guardian) : log_(log), guardian_(guardian) {}

  // The actions of one turn, so that related events stay together. now: CLOCK_BOOTTIME.
  void report(const vrrp::Actions& actions, TimePoint now);
  // More advertisements arrive than all legitimate ones.
  void report_flood(const std::string& interface, Family family, TimePoint now);

 private:
  // Each logs; false: no event.
  bool tell(const vrrp::StateChanged& change, events::Event& event);
  bool tell(const vrrp::Noted& note, events::Event& event);
  bool tell(const vrrp::AdvertisementDiscarded& discarded, events::Event& event);

  Log& log_;
  Link<RouterToGuardian, GuardianToRouter>& guardian_;
};

}  // namespace vipd::programs
