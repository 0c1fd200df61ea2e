// Reporter: tells people what the engine has decided: a line in the log, and events for the guardian, which
// passes them on to hooks, the journal and those who watch. What comes from the network is limited in rate;
// counters stay exact.
#pragma once

#include "daemon/link.h"
#include "daemon/log.h"
#include "vrrp/action.h"

namespace vipd::daemon {

class Reporter {
 public:
  Reporter(Log& log, Link& guardian) : log_(log), guardian_(guardian) {}

  // Of one turn, so that what belongs together is told together. now: CLOCK_BOOTTIME.
  void report(const vrrp::Actions& actions, TimePoint now);
  // More advertisements come in than can be.
  void report_flood(const std::string& interface, Family family, TimePoint now);

 private:
  // Each logs; false: it is not to be told.
  bool tell(const vrrp::StateChanged& change, events::Event& event);
  bool tell(const vrrp::Noted& note, events::Event& event);
  bool tell(const vrrp::AdvertisementDiscarded& discarded, events::Event& event);

  Log& log_;
  Link& guardian_;
};

}  // namespace vipd::daemon
