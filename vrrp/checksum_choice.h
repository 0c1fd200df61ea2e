// ChecksumChoice: which form of the IPv4 checksum `checksum: auto` sends (RFC 9568 section 5.2.8).
//
// The form of the peers, as far as they are heard: those of the other form reject what we send. A Backup
// starts with what it hears first. After that a single message, which anybody can forge, changes nothing: the
// other form must be the only one that is heard, three times and for more than one interval.
#pragma once

#include <optional>

#include "base/time.h"
#include "vrrp/packet.h"

namespace vipd::vrrp {

class ChecksumChoice {
 public:
  // A valid advertisement; interval: our own.
  void hear(TimePoint now, ChecksumForm form, Duration interval, bool active);
  void adopt(std::optional<ChecksumForm> heard) { heard_ = heard; }

  std::optional<ChecksumForm> heard() const { return heard_; }
  // Until somebody is heard: keepalived and FRR reject the other one.
  ChecksumForm form() const { return heard_.value_or(ChecksumForm::pseudo_header); }

 private:
  std::optional<ChecksumForm> heard_;
  int others_ = 0;  // messages of the other form, and none of ours in between
  TimePoint others_since_{};
};

}  // namespace vipd::vrrp
