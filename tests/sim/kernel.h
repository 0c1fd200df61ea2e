// Kernel: the kernel of a simulated host: the one link, its addresses, and their lifetimes. It carries out
// requests from any caller; the Host decides which program is notified of a change, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/interface.h"
#include "tests/sim/clock.h"

namespace vipd::sim {

class Kernel {
 public:
  // number: of the host; its own addresses are 192.0.2.NUMBER and fe80::NUMBER.
  explicit Kernel(std::uint8_t number);

  const Interface& link() const { return link_; }
  bool has_link() const { return link_.exists() && link_.up && link_.running; }
  bool usable() const { return has_link() && own_addresses_there_; }
  bool has(const Prefix& prefix) const;
  bool has_ours(const Prefix& prefix) const;                             // put there by a program
  bool own_addresses_are_there() const { return own_addresses_there_; }  // or will be, with the link
  IpAddress own_address(Family family) const;

  // --- addresses ---
  // Without an end, or a new end for one that is there. True if it was not there.
  bool put(const Prefix& prefix, Moment until);
  bool take(const Prefix& prefix);  // true if it was there
  void add_foreign(const Prefix& prefix);
  // One whose lifetime has ended, and is there still.
  std::optional<Prefix> expired(Moment now) const;
  Moment next_expiry() const;
  void shift_expiries(Duration by);  // it has not seen that time pass

  // --- what happens to the link ---
  void set_link(bool up, bool running);
  void remove_link();
  void make_link(std::uint32_t index);  // anew, with nothing on it but the host's own addresses
  void set_own_addresses(bool there);
  void forget_addresses();  // all but the host's own

 private:
  Interface link_;
  std::vector<InterfaceAddress> own_addresses_;
  bool own_addresses_there_ = true;
  std::vector<std::pair<Prefix, Moment>> expiries_;
};

}  // namespace vipd::sim
