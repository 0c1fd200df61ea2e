#include "tests/sim/kernel.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

Kernel::Kernel(std::uint8_t number)
    : own_addresses_{{Prefix::parse(fmt::format("192.0.2.{}/24", number)).value()},
                     {Prefix::parse(fmt::format("fe80::{:x}/64", number)).value()}} {
  link_ = {"eth0", 2, true, true, 1500, {{2, 0, 0, 0, 0, number}}, own_addresses_};
}

bool Kernel::has(const Prefix& prefix) const {
  return std::any_of(link_.addresses.begin(), link_.addresses.end(),
                     [&](const InterfaceAddress& each) { return each.prefix == prefix; });
}

bool Kernel::has_ours(const Prefix& prefix) const {
  return std::any_of(link_.addresses.begin(), link_.addresses.end(),
                     [&](const InterfaceAddress& each) { return each.prefix == prefix && each.ours; });
}

IpAddress Kernel::own_address(Family family) const {
  for (const auto& each : own_addresses_)
    if (each.prefix.address.family == family) return each.prefix.address;
  return {};
}

bool Kernel::put(const Prefix& prefix, Moment until) {
  std::erase_if(expiries_, [&](const auto& each) { return each.first == prefix; });
  if (until != not_ever) expiries_.emplace_back(prefix, until);
  if (has(prefix)) return false;
  link_.addresses.push_back({prefix, false, false, true});
  return true;
}

bool Kernel::take(const Prefix& prefix) {
  std::erase_if(expiries_, [&](const auto& each) { return each.first == prefix; });
  return std::erase_if(link_.addresses, [&](const auto& each) { return each.prefix == prefix; }) > 0;
}

void Kernel::add_foreign(const Prefix& prefix) {
  link_.addresses.push_back({prefix});
}

std::optional<Prefix> Kernel::expired(Moment now) const {
  for (const auto& [prefix, when] : expiries_)
    if (when <= now) return prefix;
  return std::nullopt;
}

Moment Kernel::next_expiry() const {
  auto earliest = not_ever;
  for (const auto& [prefix, when] : expiries_) earliest = std::min(earliest, when);
  return earliest;
}

void Kernel::shift_expiries(Duration by) {
  for (auto& [prefix, when] : expiries_) when += by;
}

void Kernel::set_link(bool up, bool running) {
  link_.up = up;
  link_.running = running;
}

void Kernel::remove_link() {
  link_.addresses.clear();
  expiries_.clear();
  link_.index = 0;
}

void Kernel::make_link(std::uint32_t index) {
  link_.index = index;
  forget_addresses();
}

void Kernel::set_own_addresses(bool there) {
  if (std::exchange(own_addresses_there_, there) == there || !link_.exists()) return;
  std::erase_if(link_.addresses, [](const auto& each) { return !each.ours; });
  if (there) link_.addresses.insert(link_.addresses.begin(), own_addresses_.begin(), own_addresses_.end());
}

void Kernel::forget_addresses() {
  link_.addresses = own_addresses_there_ && link_.exists() ? own_addresses_ : std::vector<InterfaceAddress>{};
  expiries_.clear();
}

}  // namespace vipd::sim
