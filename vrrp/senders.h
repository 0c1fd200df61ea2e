// Senders: the routers that a virtual router has heard, and what each has shown so far.
//
// An advertisement carries no proof of its origin, so a single one counts for little. Two questions are
// answered here: has this sender been heard before, and may an interval that is longer than
// max_adopted_interval be believed? Memory is bounded: a flood of made-up sources drives each other out, and
// not the routers that have been heard again and again.
#pragma once

#include <vector>

#include "base/ip.h"
#include "base/time.h"

namespace vipd::vrrp {

class Senders {
 public:
  // A valid advertisement of `source` with this interval.
  void hear(TimePoint now, const IpAddress& source, Duration interval);
  // What a predecessor has known: it need not be shown again.
  void remember(TimePoint now, const IpAddress& source, Duration interval);

  // It has been heard more than once since it was last doubted.
  bool is_known(const IpAddress& source) const;
  // The interval that counts for it: its own, if that is within the bound, or if it has been heard with it
  // three times, over more than twice the bound; the bound otherwise.
  Duration adopted_interval(const IpAddress& source, Duration bound) const;

  // It claimed to be Active and was not heard again: unknown from now on. How often it has done so.
  int doubt(const IpAddress& source);

  // The link-layer address that its advertisements come from; nothing but zeros: not known. Returns whether
  // that is news.
  bool identify(const IpAddress& source, const MacAddress& mac);
  MacAddress mac_of(const IpAddress& source) const;

 private:
  struct Sender {
    IpAddress address;
    TimePoint heard{};           // last
    int times = 0;               // heard, since it was last doubted
    Duration interval{};         // that it advertises
    TimePoint interval_since{};  // since when, without another one in between
    int times_with_interval = 0;
    int doubts = 0;
    MacAddress mac;
  };
  const Sender* find(const IpAddress& source) const;
  Sender& find_or_make(const IpAddress& source);

  std::vector<Sender> senders_;
};

}  // namespace vipd::vrrp
