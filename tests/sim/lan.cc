#include "tests/sim/lan.h"

#include <algorithm>

namespace vipd::sim {

Lan::Lan(const Setup& setup, Random random, bool recording)
    : setup_(setup), random_(random), recording_(recording), judge_(*this) {
  for (auto& row : passes_) std::fill(std::begin(row), std::end(row), true);
  neighbors_.resize(most_hosts * setup_.groups.size() * most_addresses);
  for (const auto& host : setup_.hosts) hosts_.push_back(std::make_unique<Host>(*this, host));
  judge_.begin();
}

// --- the loop ---

void Lan::run_until(Moment when) {
  while (!judge_.broken()) {
    auto next = arrivals_.empty() ? not_ever : arrivals_.front().when;
    if (!plans_.empty()) next = std::min(next, plans_.front().when);
    Host* first = nullptr;
    for (const auto& host : hosts_) {
      if (host->wake() >= next) continue;
      next = host->wake();
      first = host.get();
    }
    if (next > when) break;
    now_ = std::max(now_, next);
    // What is on the way arrives before timers are looked at, as in the programs' loop.
    if (first) {
      first->run();
    } else if (!plans_.empty() && plans_.front().when <= now_) {
      std::pop_heap(plans_.begin(), plans_.end());
      const auto plan = std::move(plans_.back());
      plans_.pop_back();
      plan.what();
    } else {
      next_arrival();
    }
    judge_.look();
  }
  if (judge_.broken()) return;
  now_ = std::max(now_, when);
  judge_.look_closely();
}

void Lan::next_arrival() {
  std::pop_heap(arrivals_.begin(), arrivals_.end());
  const auto arrival = std::move(arrivals_.back());
  arrivals_.pop_back();
  auto& host = *hosts_[arrival.to];
  switch (arrival.kind) {
    case Kind::event: host.receive(arrival.event); break;
    case Kind::kernel: host.kernel_speaks(); break;
    case Kind::monitor: host.monitor_speaks(); break;
    case Kind::announcement: announcement_arrives(host, *arrival.announcement, false); break;
    case Kind::late_announcement: announcement_arrives(host, *arrival.announcement, true); break;
  }
}

void Lan::push(Moment when, const Host& to, Kind kind, std::shared_ptr<const vrrp::Input> event,
               std::shared_ptr<const Announcement> announcement) {
  arrivals_.push_back({when, order_++, static_cast<std::uint8_t>(to.index()), kind, std::move(event),
                       std::move(announcement)});
  std::push_heap(arrivals_.begin(), arrivals_.end());
}

void Lan::at(Moment when, std::function<void()> what) {
  plans_.push_back({when, order_++, std::move(what)});
  std::push_heap(plans_.begin(), plans_.end());
}

void Lan::forget_plans() {
  plans_.clear();
}

// --- the link ---

void Lan::set_weather(const Weather& weather) {
  weather_ = weather;
  judge_.network_changed();
}

void Lan::passage_changed() {
  judge_.network_changed();
}

void Lan::transmit(const Host& from, const IpAddress& source, std::vector<std::uint8_t> message) {
  if (!from.kernel().has_link() || weather_.filtered == source.family) return;
  ++messages_;
  auto datagram = std::make_shared<const vrrp::Input>(vrrp::DatagramReceived{
      "eth0", source, vrrp::multicast_group(source.family), 255, std::move(message), false});
  for (const auto& host : hosts_) {
    if (!passes(from, *host) || !host->kernel().has_link()) continue;
    if (host.get() == &from && weather_.storm == 0) continue;
    for (int copy = 0; copy <= weather_.storm; ++copy) send_copy(from, *host, datagram);
  }
}

void Lan::send_copy(const Host& from, const Host& to, const std::shared_ptr<const vrrp::Input>& message) {
  if (weather_.lost > 0 && random_.permille(weather_.lost)) return;
  auto& last = last_copy_[from.index()][to.index()];
  auto arrival = last = std::max(last, now_ + random_.between(setup_.latency_least, setup_.latency_most));
  if (weather_.late > 0 && random_.permille(weather_.late))
    arrival += random_.between(Duration::zero(), weather_.longest);
  last_arrival_ = std::max(last_arrival_, arrival);
  push(arrival, to, Kind::event, message);
  if (weather_.doubled > 0 && random_.permille(weather_.doubled))
    push(arrival + random_.between(Duration(1), setup_.latency_most), to, Kind::event, message);
}

void Lan::announce(const Host& from, std::size_t group, const IpAddress& address) {
  const auto& pool = setup_.groups[group].pool;
  const auto found =
      std::find_if(pool.begin(), pool.end(), [&](const Prefix& each) { return each.address == address; });
  if (found == pool.end()) return;
  const MacAddress mac{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(from.setup().number)}};
  const auto announcement = std::make_shared<const Announcement>(
      Announcement{from.index(), group, static_cast<std::size_t>(found - pool.begin()), now_,
                   std::make_shared<const vrrp::Input>(vrrp::AddressClaimed{"eth0", address, mac})});
  for (const auto& host : hosts_) {
    const bool lost = weather_.lost > 0 && random_.permille(weather_.lost);
    if (from.kernel().has_link() && passes(from, *host) && !lost)
      announce_to(*host, announcement);
    else
      neighbor(host->index(), group, announcement->address).lost = now_;
  }
}

void Lan::announce_as_stranger(std::size_t group, std::size_t address) {
  const MacAddress mac{{2, 0, 0, 0, 1, 1}};
  const auto& claimed = setup_.groups[group].pool[address].address;
  const auto announcement = std::make_shared<const Announcement>(
      Announcement{stranger, group, address, now_,
                   std::make_shared<const vrrp::Input>(vrrp::AddressClaimed{"eth0", claimed, mac})});
  for (const auto& host : hosts_) announce_to(*host, announcement);
}

void Lan::announce_to(const Host& to, const std::shared_ptr<const Announcement>& announcement) {
  auto& last = last_announcement_[announcement->from][to.index()];
  auto arrival = last = std::max(last, now_ + random_.between(setup_.latency_least, setup_.latency_most) +
                                           random_.between(Duration::zero(), setup_.scheduling));
  const bool late = weather_.late > 0 && random_.permille(weather_.late);
  if (late) arrival += random_.between(Duration::zero(), weather_.longest);
  last_arrival_ = std::max(last_arrival_, arrival);
  push(arrival, to, late ? Kind::late_announcement : Kind::announcement, nullptr, announcement);
}

void Lan::announcement_arrives(Host& to, const Announcement& announcement, bool late) {
  auto& known = neighbor(to.index(), announcement.group, announcement.address);
  // What was lost since this one was sent has not told the client what comes after it.
  const auto lost = late ? now_ : known.lost >= announcement.sent ? known.lost : long_ago;
  known = {announcement.from, announcement.sent, now_, lost};
  if (announcement.from != to.index() && to.kernel().has_link()) to.receive(announcement.claim);
}

// An advertisement from nowhere.
void Lan::forge(const IpAddress& source, const std::vector<std::uint8_t>& message) {
  const auto datagram = std::make_shared<const vrrp::Input>(
      vrrp::DatagramReceived{"eth0", source, vrrp::multicast_group(source.family), 255, message, false});
  for (const auto& host : hosts_)
    if (host->kernel().has_link())
      push(now_ + random_.between(setup_.latency_least, setup_.latency_most), *host, Kind::event, datagram);
}

void Lan::notify(Host& host, Duration after) {
  push(now_ + after, host, Kind::kernel, nullptr);
}

void Lan::tell_checks(Host& host, Duration after) {
  push(now_ + after, host, Kind::monitor, nullptr);
}

void Lan::deliver(Host& host, Duration after, std::shared_ptr<const vrrp::Input> event) {
  push(now_ + after, host, Kind::event, std::move(event));
}

// --- the timeline ---

void Lan::say(const std::string& who, const std::string& what) {
  if (recording_) timeline_.say(for_timeline(now_), who, what);
}

void Lan::add(const std::string& who, const std::string& what) {
  if (recording_) timeline_.add(for_timeline(now_), who, what);
}

}  // namespace vipd::sim
