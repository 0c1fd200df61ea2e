// AddressKeeper: keeps the kernel's addresses in line with the state of one virtual router.
//
// It compares what must be there with what the interface's snapshots show, and asks for the difference: an
// address that somebody removes from an Active comes back at once, one that shows up on a node that is not
// Active (a leftover of an earlier run, a hand) goes. Repairs are rate-limited. It decides nothing about who
// is Active.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vrrp/parameters.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

class AddressKeeper {
 public:
  // All addresses must be there from now on (section 6.4.2: becoming Active).
  void hold(const Turn& turn, const VirtualRouterConfig& config);
  // None must be there any more.
  void drop(const Turn& turn, const VirtualRouterConfig& config);
  // Goes on holding what a predecessor has put there: asks for nothing that is there already.
  void adopt(const VirtualRouterConfig& config);
  // The configuration has another list of addresses: only the difference is asked for.
  void reconfigure(const Turn& turn, const VirtualRouterConfig& before, const VirtualRouterConfig& config);

  // One of the addresses has changed on the interface. Returns those that had to be put back and want
  // announcing.
  std::vector<IpAddress> observe(const Turn& turn, const VirtualRouterConfig& config);
  // The kernel has refused one.
  void failed(const Turn& turn, const VirtualRouterConfig& config, const Prefix& prefix,
              const std::string& error);
  // A deadline has passed: retries, renewals. Returns addresses that were asked for again.
  std::vector<IpAddress> tick(const Turn& turn, const VirtualRouterConfig& config);
  TimePoint deadline() const;  // never, if nothing waits

  bool holding() const { return holding_; }
  // None must be there, but some still are.
  bool lingering() const { return !holding_ && lingering_; }
  std::vector<Prefix> present() const;
  std::uint64_t restored() const { return restored_; }

 private:
  struct Address {
    Prefix prefix;
    bool requested = false;   // we have asked for it and not taken it back
    bool seen = false;        // was in the last snapshot
    bool failing = false;     // what we asked for was refused, and told
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
