#include "programs/router/lease_writer.h"

#include <algorithm>

namespace vipd::programs {

Result<> LeaseWriter::replace(Leases leases) {
  std::map<vrrp::RouterKey, std::optional<TimePoint>> written;
  if (leases.descriptor) {
    slots_.reset();
    entries_.clear();
    slots_ = TRY(netlink::LeaseSlots::map(leases.descriptor.get()));
  }
  for (const auto& each : entries_)
    if (leases.slots.contains(each.router) && leases.slots[each.router] == each.slot)
      written[each.router] = each.written;
  entries_.clear();
  if (slots_)
    for (const auto& [router, slot] : leases.slots) entries_.push_back({router, slot, written[router]});
  why_not_ = std::move(leases.why_not);
  return {};
}

LeaseWriter::Entry* LeaseWriter::find(const vrrp::RouterKey& router) {
  if (next_ >= entries_.size()) next_ = 0;
  if (next_ < entries_.size() && entries_[next_].router == router) return &entries_[next_++];
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), router,
                       [](const Entry& entry, const vrrp::RouterKey& key) { return entry.router < key; });
  if (found == entries_.end() || found->router != router) return nullptr;
  next_ = static_cast<std::size_t>(found - entries_.begin()) + 1;
  return &*found;
}

void LeaseWriter::set(const vrrp::RouterKey& router, TimePoint until) {
  auto* entry = find(router);
  if (!entry || entry->written == until) return;
  // The guardian may have renewed a lease during a hold: that is newer than the adopted one.
  const bool first = !entry->written && until != TimePoint{};
  if (!first || until > slots_->until(entry->slot)) slots_->set(entry->slot, until);
  entry->written = until;
}

std::map<vrrp::RouterKey, LeaseStatus> LeaseWriter::status() const {
  std::map<vrrp::RouterKey, LeaseStatus> all;
  for (const auto& [router, why_not] : why_not_) all[router].why_not = why_not;
  for (const auto& each : entries_)
    all[each.router] = {{}, slots_->until(each.slot), slots_->drops(each.slot)};
  return all;
}

}  // namespace vipd::programs
