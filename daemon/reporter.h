// Reporter: tells people what the engine has decided: a line in the log, and a message to the monitor for
// those who watch. What comes from the network is limited in rate; counters stay exact.
#pragma once

#include "daemon/link.h"
#include "daemon/log.h"
#include "vrrp/action.h"

namespace vipd::daemon {

class Reporter {
 public:
  Reporter(Log& log, Link& monitor) : log_(log), monitor_(monitor) {}

  void report(const vrrp::Actions& actions);
  // More advertisements come in than can be.
  void report_flood(const std::string& interface, Family family);

 private:
  void tell(const vrrp::StateChanged& change);
  void tell(const vrrp::Noted& note);
  void tell(const vrrp::AdvertisementDiscarded& discarded);

  Log& log_;
  Link& monitor_;
};

}  // namespace vipd::daemon
