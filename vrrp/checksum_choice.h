// ChecksumChoice: which form of the IPv4 checksum `checksum: auto` sends (RFC 9568 section 5.2.8).
//
// It sends the form that its peers send, because peers reject the other form. A Backup adopts the first form
// it hears. After that a single message, which any host can forge, changes nothing: the other form must be
// the only one heard, three times and for longer than one interval.
#pragma once

#include <optional>

#include "base/time.h"
#include "vrrp/packet.h"

namespace vipd::vrrp {

class ChecksumChoice {
 public:
  // A valid advertisement was heard. `interval` is our own.
  void hear(TimePoint now, ChecksumForm form, Duration interval, bool active);
  void adopt(std::optional<ChecksumForm> heard) { heard_ = heard; }

  std::optional<ChecksumForm> heard() const { return heard_; }
  // Before any peer is heard: the pseudo-header, because keepalived and FRR reject the other form.
  ChecksumForm form() const { return heard_.value_or(ChecksumForm::pseudo_header); }

 private:
  std::optional<ChecksumForm> heard_;
  int others_ = 0;  // consecutive messages of the other form
  TimePoint others_since_{};
};

}  // namespace vipd::vrrp
