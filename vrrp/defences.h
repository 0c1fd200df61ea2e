// Defences: what a virtual router knows about the advertisements that it has heard, so that a forged one does
// little harm.
//
// VRRP has no authentication (RFC 9568 section 9): any host on the link can advertise with any source,
// priority and interval, and no receiver can tell such an advertisement from a true one. So vipd limits what a
// single advertisement can change, and what a repeated one costs. A host that forges advertisements all the
// time wins against every VRRP router; these rules only ensure that it must keep doing so, and that it is
// found. In the order in which an advertisement meets them:
//
// 1. Another network. A TTL or hop limit below 255 shows that a packet was routed: it is discarded
//    (vrrp/packet).
// 2. A flood. While a socket receives far more than its virtual routers can cause, the kernel drops what
//    cannot change a state here (programs/router/flood_guard, vrrp/relevance).
// 3. The checksum form. With `checksum: auto` the form that peers send is sent to them. One advertisement of
//    the other form changes nothing, else every peer would discard ours (vrrp/checksum_choice).
// 4. A long interval. A Backup waits three intervals of the Active that it hears: up to two minutes for an
//    Active that does not exist. An interval above max_adopted_interval counts only after its sender has
//    advertised it for a while; until then, max_adopted_interval does (vrrp/senders).
// 5. A higher priority. An Active gives way at once, as the RFC requires. But a sender that it has never heard
//    before is on trial: if it is not heard again within one and a half intervals, this node becomes Active
//    again. A true peer is heard, because it answers our last advertisement.
// 6. The first lease. Rule 5, seen from the other side: an Active that has given way to us may end our trial
//    before it hears us again. So after the advertisement with which we take over from an Active, the kernel
//    lets packets for the addresses in for less than a trial lasts, until our next one has left.
// 7. A farewell (priority 0) in the name of the Active. Backups would take over after Skew_Time: the Active,
//    which hears it too, advertises at once and so stops them (VirtualRouter::answer_farewell). A farewell
//    does not make its sender known: rule 5 applies to it as before.
// 8. A lower priority. An Active answers it at once, but at most four times per interval, so that a flood does
//    not cause another (VirtualRouter::reassert).
// 9. The name of the host. When a sender that has failed a trial advertises again, the router looks for the
//    MAC address behind it and reports it (the action IdentifySender, io/sender_tap).
//
// This class holds the memory of rules 3 to 6 and 9. VirtualRouter asks it, and sets its deadlines by the
// answers; it knows neither the state nor a deadline.
#pragma once

#include <optional>
#include <string>

#include "base/ip.h"
#include "base/time.h"
#include "vrrp/checksum_choice.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/senders.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

class Defences {
 public:
  // A valid advertisement has arrived. `active`: while we are Active.
  void heard(TimePoint now, const VirtualRouterConfig& config, const IpAddress& source,
             const Advertisement& advertisement, bool active);
  // Our state is another one: no trial is under way, and the lease is not the first one.
  void state_entered();

  // --- 3: the checksum form ---
  ChecksumForm checksum_form() const { return checksum_choice_.form(); }
  std::optional<ChecksumForm> checksum_heard() const { return checksum_choice_.heard(); }

  // --- 4: the interval by which the silence of a router is timed ---
  Duration interval_of(const IpAddress& source, const VirtualRouterConfig& config) const;

  // --- 5: the trial of a router to which we have given way ---
  bool needs_trial(const IpAddress& source) const { return !senders_.is_known(source); }
  // Returns how long we wait for its second advertisement. `theirs`: the interval it claims. Of several
  // Backups that wait for it, the best comes first.
  Duration begin_trial(Duration theirs, const VirtualRouterConfig& config, Priority priority);
  bool on_trial() const { return on_trial_; }
  void pass_trial() { on_trial_ = false; }    // it was heard again
  int fail_trial(const IpAddress& claimant);  // it was not; returns how often that has happened

  // --- 6: the lease ---
  // We have taken over from an Active, with an advertisement that it may not have heard.
  void took_over_from_active() { first_lease_ = true; }
  void advertised() { first_lease_ = false; }
  // How long after an advertisement the kernel lets packets for the addresses in.
  Duration lease(Duration advertisement_interval) const;

  // --- 9: the host behind a sender ---
  // Returns whether that is news.
  bool identified(const IpAddress& sender, const MacAddress& mac) { return senders_.identify(sender, mac); }
  std::string name_of(const IpAddress& sender) const;  // its address, with its MAC address if that is known

  // Continues with what a predecessor knew.
  void adopt(TimePoint now, const VirtualRouterConfig& config, const RouterSnapshot& snapshot);

 private:
  ChecksumChoice checksum_choice_;
  Senders senders_;
  bool on_trial_ = false;
  bool first_lease_ = false;
};

}  // namespace vipd::vrrp
