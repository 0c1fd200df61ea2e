// InterfaceView: one interface as its virtual routers need it: the snapshot; which of its addresses are
// virtual, and whose; the primary address (RFC 9568 section 1.6); and, if there is none or the link cannot be
// used, the reason in words for the operator.
//
// An interface may have thousands of addresses and carry a thousand virtual routers: each snapshot is
// compared with the previous one once, here, so that no other code has to walk through it.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/interface.h"
#include "vrrp/parameters.h"

namespace vipd::vrrp {

class VirtualRouter;

class InterfaceView {
 public:
  explicit InterfaceView(std::string name) { interface_.name = std::move(name); }

  struct Difference {
    bool usability = false;            // primary address, carrier, existence: concerns every virtual router
    std::vector<IpAddress> addresses;  // that came, went or changed, each once
  };
  Difference update(Interface snapshot);

  // Sets the virtual routers and their addresses. Two of them share an address for a moment when a reload
  // moves it from one to the other.
  void set_routers(std::vector<VirtualRouter*> routers);
  const std::vector<VirtualRouter*>& routers() const { return routers_; }
  std::vector<VirtualRouter*> users(const IpAddress& address) const;
  bool held_by_another(const IpAddress& address, const RouterKey& than) const;

  const Interface& interface() const { return interface_; }
  const InterfaceAddress* find(const Prefix& prefix) const;                  // nullptr: not there
  std::span<const InterfaceAddress> all_of(const IpAddress& address) const;  // with any prefix length

  // IPv4: the first address that is not virtual; for an address owner that has no other, the first virtual
  // one. IPv6: the same among the link-local addresses that are usable already.
  std::optional<IpAddress> primary_address(Family family, bool owner) const;
  // Empty: nothing prevents Startup.
  std::vector<std::string> obstacles(Family family, bool owner) const;
  // A message from this address was sent by this node. Excludes virtual addresses, except those from which
  // their owner sends.
  bool is_own(const IpAddress& address) const;

 private:
  struct Primary {
    std::optional<IpAddress> own;
    std::optional<IpAddress> virtual_one;
    bool operator==(const Primary&) const = default;
  };
  void find_primary_addresses();
  const Primary& primary(Family family) const { return primary_[family == Family::ipv4 ? 0 : 1]; }
  bool is_virtual(const IpAddress& address) const { return users_.contains(address); }

  Interface interface_;
  std::vector<InterfaceAddress> sorted_;  // its addresses, by prefix
  std::array<Primary, 2> primary_;
  std::vector<VirtualRouter*> routers_;
  std::multimap<IpAddress, VirtualRouter*> users_;
};

}  // namespace vipd::vrrp
