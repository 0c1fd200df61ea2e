// Senders: the routers that a virtual router has heard, and what each has shown so far.
//
// An advertisement carries no proof of its origin, so a single one counts for little. This class answers two
// questions: has this sender been heard before, and may an interval longer than max_adopted_interval be
// believed? Memory is bounded: the made-up sources of a flood push each other out, but not the routers that
// have been heard again and again.
#pragma once

#include <vector>

#include "base/ip.h"
#include "base/time.h"

namespace vipd::vrrp {

class Senders {
 public:
  // A valid advertisement of `source` with this interval was heard.
  void hear(TimePoint now, const IpAddress& source, Duration interval);
  // Takes over what a predecessor knew: `source` need not show it again.
  void remember(TimePoint now, const IpAddress& source, Duration interval);

  // The sender has been heard more than once since it was last doubted.
  bool is_known(const IpAddress& source) const;
  // The interval that counts for the sender: its own, if that is within the bound, or if the sender has been
  // heard with it three times over more than twice the bound; otherwise the bound.
  Duration adopted_interval(const IpAddress& source, Duration bound) const;

  // The sender claimed to be Active and was not heard again: it is unknown from now on. Returns how often it
  // has done so.
  int doubt(const IpAddress& source);

  // Sets the link-layer address that its advertisements come from; all zeros: unknown. Returns whether it has
  // changed.
  bool identify(const IpAddress& source, const MacAddress& mac);
  MacAddress mac_of(const IpAddress& source) const;

 private:
  struct Sender {
    IpAddress address;
    TimePoint heard{};           // last
    int times = 0;               // heard, since it was last doubted
    Duration interval{};         // that it advertises
    TimePoint interval_since{};  // since when it advertises that interval and no other
    int times_with_interval = 0;
    int doubts = 0;
    MacAddress mac;
  };
  const Sender* find(const IpAddress& source) const;
  Sender& find_or_make(const IpAddress& source);

  std::vector<Sender> senders_;
};

}  // namespace vipd::vrrp
