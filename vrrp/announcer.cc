#include "vrrp/announcer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vrrp/arp.h"
#include "vrrp/ndisc.h"

namespace vipd::vrrp {

namespace {
using namespace std::chrono_literals;

// The pause before the second round, the third, ...; later rounds keep the last one.
constexpr std::array<Duration, 5> pauses{100ms, 400ms, 1s, 2s, 5s};
// What another Active said last to the neighbours may arrive after our answer to its advertisement.
constexpr Duration echo = 20ms;
constexpr Duration echo_interval = 1s;

// The source of an NA: the virtual router's link-local address, which RFC 9568 section 5.2.9 puts first, or,
// if there is none, the announced address itself.
const IpAddress& advertisement_source(const VirtualRouterConfig& config, const IpAddress& target) {
  const auto& first = config.addresses.front().address;
  return first.is_link_local() ? first : target;
}
}  // namespace

void Announcer::start(const Turn& turn, const VirtualRouterConfig& config) {
  rounds_done_ = 0;
  next_address_ = 0;
  next_ = turn.now;
  tick(turn, config);
}

void Announcer::again(const Turn& turn, const VirtualRouterConfig& config) {
  const auto least = std::max(pauses.front(), config.announce.pace);
  const bool rested = last_ == TimePoint::min() || turn.now - last_ >= least;
  rounds_done_ = 0;
  // A round in progress continues and others follow: if it began anew, its last addresses might never come.
  if (next_address_ > 0) return;
  if (rested)
    next_ = turn.now;
  else
    next_ = std::min(next_, last_ + least);
  tick(turn, config);
  if (next_address_ > 0) return;
  if (echoed_ != TimePoint::min() && turn.now - echoed_ < echo_interval) {
    next_ = std::min(next_, echoed_ + echo_interval);  // unless a further round comes before that
  } else {
    echoed_ = turn.now;
    rounds_done_ = 0;
    next_ = turn.now + echo;
  }
  next_ = std::max(next_, last_ + config.announce.pace);
}

// At least one more round: the last one that was counted may not have been sent, and this node does not know
// what another host announced while the router was replaced, or just before it died.
void Announcer::adopt(TimePoint now, const VirtualRouterConfig& config, int rounds_done) {
  const bool all = rounds_done >= config.announce.repeat;
  rounds_done_ = all ? config.announce.repeat - 1 : rounds_done;
  next_ = all ? now + pauses.front() : now;
}

void Announcer::reconfigure(TimePoint now, const VirtualRouterConfig& config) {
  // A round in progress begins anew: the place of an address in the list may be another one now.
  if (std::exchange(next_address_, 0) > 0) return;
  rounds_done_ = config.announce.repeat;
  schedule(now, config);
}

void Announcer::tick(const Turn& turn, const VirtualRouterConfig& config) {
  if (next_ > turn.now) return;
  const auto all = config.addresses.size();
  const auto begin = std::min(next_address_, all);
  const auto end = config.announce.pace == Duration::zero() ? all : std::min(begin + 1, all);
  for (auto i = begin; i < end; ++i) announce(turn, config, config.addresses[i].address);
  // Not during the take-over itself: the host that had the address may still be about to remove it.
  if (rounds_done_ + 1 >= std::max(config.announce.repeat, 2))
    for (auto i = begin; i < end; ++i) probe(turn, config, config.addresses[i].address);
  if (end < all) {
    next_address_ = end;
    next_ = turn.now + config.announce.pace;
    return;
  }
  next_address_ = 0;
  ++rounds_done_;
  last_ = turn.now;
  schedule(turn.now, config);
}

void Announcer::schedule(TimePoint now, const VirtualRouterConfig& config) {
  if (rounds_done_ < config.announce.repeat)
    next_ =
        now + std::max(config.announce.pace, pauses[static_cast<std::size_t>(std::clamp(
                                                 rounds_done_ - 1, 0, static_cast<int>(pauses.size()) - 1))]);
  else
    next_ = config.announce.refresh == Duration::zero() ? never : now + config.announce.refresh;
}

void Announcer::announce(const Turn& turn, const VirtualRouterConfig& config, const IpAddress& address) {
  const auto& mac = turn.interface().mac;
  if (mac == MacAddress{}) return;  // a link without addresses has nothing to learn
  turn.act(Announce{
      config.key, turn.interface().name, address,
      address.family == Family::ipv4
          ? gratuitous_arp(mac, address)
          : unsolicited_neighbor_advertisement(mac, advertisement_source(config, address), address)});
}

void Announcer::probe(const Turn& turn, const VirtualRouterConfig& config, const IpAddress& address) {
  const auto& mac = turn.interface().mac;
  if (mac == MacAddress{}) return;
  turn.act(Probe{
      config.key, turn.interface().name, address,
      address.family == Family::ipv4 ? arp_probe(mac, address) : duplicate_address_probe(mac, address)});
}

}  // namespace vipd::vrrp
