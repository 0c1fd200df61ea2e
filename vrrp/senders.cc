#include "vrrp/senders.h"

#include <algorithm>
#include <utility>

namespace vipd::vrrp {

namespace {
constexpr std::size_t most_senders = 16;
constexpr int enough = 3;  // advertisements after which an interval is believed
}  // namespace

const Senders::Sender* Senders::find(const IpAddress& source) const {
  const auto found = std::find_if(senders_.begin(), senders_.end(),
                                  [&](const Sender& each) { return each.address == source; });
  return found == senders_.end() ? nullptr : &*found;
}

Senders::Sender& Senders::find_or_make(const IpAddress& source) {
  if (const auto* known = find(source)) return const_cast<Sender&>(*known);
  if (senders_.size() < most_senders) return senders_.emplace_back(Sender{.address = source});
  // Drops a sender that was heard only once before those that were heard more often, then the longest silent
  // one.
  const auto worst =
      std::min_element(senders_.begin(), senders_.end(), [](const Sender& left, const Sender& right) {
        const bool left_known = left.times > 1;
        const bool right_known = right.times > 1;
        return left_known != right_known ? right_known : left.heard < right.heard;
      });
  return *worst = Sender{.address = source};
}

void Senders::hear(TimePoint now, const IpAddress& source, Duration interval) {
  auto& sender = find_or_make(source);
  sender.heard = now;
  sender.times = std::min(sender.times + 1, enough);
  if (sender.interval != interval) {
    sender.interval = interval;
    sender.interval_since = now;
    sender.times_with_interval = 0;
  }
  sender.times_with_interval = std::min(sender.times_with_interval + 1, enough);
}

void Senders::remember(TimePoint now, const IpAddress& source, Duration interval) {
  auto& sender = find_or_make(source);
  sender.heard = now;
  sender.times = sender.times_with_interval = enough;
  sender.interval = interval;
  sender.interval_since = TimePoint::min();
}

bool Senders::is_known(const IpAddress& source) const {
  const auto* sender = find(source);
  return sender && sender->times > 1;
}

Duration Senders::adopted_interval(const IpAddress& source, Duration bound) const {
  const auto* sender = find(source);
  if (!sender || sender->interval <= bound) return sender ? sender->interval : bound;
  const bool shown =
      sender->times_with_interval >= enough &&
      (sender->interval_since == TimePoint::min() || sender->heard - sender->interval_since > 2 * bound);
  return shown ? sender->interval : bound;
}

int Senders::doubt(const IpAddress& source) {
  auto& sender = find_or_make(source);
  sender.times = 0;
  return ++sender.doubts;
}

bool Senders::identify(const IpAddress& source, const MacAddress& mac) {
  const auto* sender = find(source);
  return sender && std::exchange(const_cast<Sender*>(sender)->mac, mac) != mac;
}

MacAddress Senders::mac_of(const IpAddress& source) const {
  const auto* sender = find(source);
  return sender ? sender->mac : MacAddress{};
}

}  // namespace vipd::vrrp
