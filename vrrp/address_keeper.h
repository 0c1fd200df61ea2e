// AddressKeeper: keeps the kernel's addresses in line with the state of one virtual router.
//
// It compares the addresses that must be there with those in the interface's snapshots, and asks for the
// difference: an address that was removed from an Active comes back at once; one on a node that is not Active
// (left by an earlier run, or added by hand) goes. Repairs are rate-limited. It does not decide which node is
// Active.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vrrp/parameters.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

class AddressKeeper {
 public:
  // From now on all addresses must be there (section 6.4.2: becoming Active).
  void hold(const Turn& turn, const VirtualRouterConfig& config);
  // From now on none must be there.
  void drop(const Turn& turn, const VirtualRouterConfig& config);
  // Keeps holding the addresses of a predecessor: asks for none that is already there.
  void adopt(const VirtualRouterConfig& config);
  // The configuration has another list of addresses: asks for the difference only.
  void reconfigure(const Turn& turn, const VirtualRouterConfig& before, const VirtualRouterConfig& config);

  // One of the addresses has changed on the interface. Returns those that had to be restored and must be
  // announced.
  std::vector<IpAddress> observe(const Turn& turn, const VirtualRouterConfig& config);
  // The kernel has refused an address.
  void failed(const Turn& turn, const VirtualRouterConfig& config, const Prefix& prefix,
              const std::string& error);
  // A deadline has passed: retries and renewals. Returns the addresses that it has asked for again.
  std::vector<IpAddress> tick(const Turn& turn, const VirtualRouterConfig& config);
  TimePoint deadline() const;  // never, if nothing waits

  bool holding() const { return holding_; }
  // No address must be there, but some still are.
  bool lingering() const { return !holding_ && lingering_; }
  std::vector<Prefix> present() const;
  std::uint64_t restored() const { return restored_; }

 private:
  struct Address {
    Prefix prefix;
    bool requested = false;   // we have asked for it, and not for its removal since
    bool seen = false;        // was in the last snapshot
    bool failing = false;     // the kernel refused it, and that has been reported
    TimePoint retry = never;  // when to ask again
  };

  Address* find(const Prefix& prefix);
  void add(const Turn& turn, const VirtualRouterConfig& config, Address& address);
  void remove(const Turn& turn, const VirtualRouterConfig& config, Address& address);
  void set_list(const VirtualRouterConfig& config);
  void remove_strays(const Turn& turn, const VirtualRouterConfig& config);
  Duration back_off(TimePoint now);

  bool holding_ = false;
  bool lingering_ = false;
  std::vector<Address> addresses_;
  TimePoint renew_ = never;
  TimePoint stray_removal_ = TimePoint::min();  // not before
  bool stray_pending_ = false;
  TimePoint last_repair_ = TimePoint::min();
  Duration repair_delay_{};
  std::uint64_t restored_ = 0;
};

}  // namespace vipd::vrrp
