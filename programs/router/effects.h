// Effects: the one place where an action of the engine becomes a system call.
//
// Advertisements never wait. Changes of addresses are sent in slices of one netlink batch, so that a
// take-over of thousands of addresses does not hold up the loop: run_slice() sends the rest, turn by turn.
// The first slice of each virtual router precedes its first advertisement, and the further slices of all
// virtual routers. An address is announced as soon as it is there, those of the first slice before the
// advertisement. Failures come back as engine inputs.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "io/advert_socket.h"
#include "io/announce_socket.h"
#include "io/claim_socket.h"
#include "io/loop.h"
#include "io/sender_tap.h"
#include "netlink/address.h"
#include "programs/common/log.h"
#include "vrrp/action.h"
#include "vrrp/input.h"

namespace vipd::programs {

class Effects {
 public:
  using Received = std::function<void(const std::string& interface, const io::Datagram& datagram)>;
  // The shield for a socket: which advertisements matter there.
  using WhatMatters = std::function<io::Shield(const std::string& interface, Family family)>;
  // A flood has begun, or continues.
  using Flooded = std::function<void(const std::string& interface, Family family)>;
  // Closes a packet socket that is no longer needed, elsewhere: the kernel takes up to a tenth of a second to
  // close it under load.
  using Discard = std::function<void(io::Fd socket)>;
  struct Callbacks {
    Received received;
    WhatMatters what_matters;
    Flooded flooded;
    Discard discard;
  };

  // An interface as described by the configuration and the kernel.
  struct Port {
    Interface interface;  // with the host's own addresses only, the virtual ones left out
    std::map<Family, std::vector<std::uint8_t>> vrids;  // the virtual routers to receive for
    std::set<IpAddress> virtual_addresses;
  };
  using Ports = std::map<std::string, Port>;  // by the interface's name

  static Result<std::unique_ptr<Effects>> open(io::Loop& loop, Log& log, Callbacks callbacks);

  // Opens, reopens and closes sockets to match. Call it when the configuration or an interface has changed.
  void set_ports(Ports ports);

  // Call it when a priority or state has changed: updates the shields during a flood.
  void renew_shields();

  // Reads the queued packets of all sockets, and calls back for each datagram.
  void receive_all();

  // Ignores StateChanged, Noted and AdvertisementDiscarded, which require no system call.
  void perform(const vrrp::Actions& actions);

  bool has_work() const { return !first_.empty() || !rest_.empty(); }
  void run_slice();

  // Call it in each turn: ends temporary shields, searches and pauses that have expired.
  void expire();

  // Whether the last advertisement of the virtual router has been sent.
  bool advertises(const vrrp::RouterKey& router) const { return !unsent_.contains(router); }

  // What has become known since the last call: addresses that the kernel refused, senders that were
  // identified, addresses that other hosts claim.
  std::vector<vrrp::Input> take_facts() { return std::exchange(facts_, {}); }

 private:
  struct Socket {
    io::AdvertSocket socket;
    std::vector<std::uint8_t> vrids;
    io::Watch watch;
    // How many datagrams are acceptable at the moment; it grows with time, up to a limit.
    double allowance = 0;
    TimePoint allowance_at{};
    TimePoint shielded_until = never;
    TimePoint unshielded_at = TimePoint::min();
    Duration shield_time{};
    TimePoint shield_renewal = never;
  };
  using SocketKey = std::pair<std::string, Family>;
  struct Listener {
    io::ClaimSocket socket;
    io::Watch watch;
    TimePoint deaf_until = never;  // a flood of claims must not cost more than a few
  };
  // A search for the MAC address of a sender.
  struct Search {
    io::SenderTap tap;
    TimePoint until;
    io::Watch watch;
  };
  using Sender = std::pair<std::string, IpAddress>;
  struct Change {
    vrrp::RouterKey router;
    bool add = true;
    Prefix prefix;
    Duration valid{};
  };
  // In the order of execution.
  using Work = std::variant<Change, vrrp::SendAdvertisement, vrrp::Announce>;
  // The actions of one step for one virtual router.
  struct Share {
    std::vector<Change> changes;
    std::vector<vrrp::SendAdvertisement> advertisements;
    std::vector<vrrp::Announce> announcements;
    std::vector<Change> renewals;
  };

  Effects(io::Loop& loop, Log& log, Callbacks callbacks, netlink::Socket netlink,
          io::AnnounceSocket announce);
  void open_socket(const SocketKey& key, std::uint32_t index, const std::vector<std::uint8_t>& vrids);
  void receive(const SocketKey& key);
  void watch_for_flood(const SocketKey& key, Socket& socket, std::size_t received);
  void set_shield(const SocketKey& key, Socket& socket);
  void listen(const SocketKey& key, std::uint32_t index, const std::set<IpAddress>& addresses);
  void hear_claims(const SocketKey& key);
  void search(const vrrp::IdentifySender& wanted);
  void found(const Sender& sender);
  void discard(Search& search);
  void discard(Listener& listener);
  void forget_superseded(const vrrp::RouterKey& router, const std::vector<Change>& changes);
  void enqueue(Share share);
  std::set<vrrp::RouterKey> queued_routers() const;
  void send(const std::vector<vrrp::SendAdvertisement>& advertisements);
  void announce(const std::vector<vrrp::Announce>& announcements);
  std::size_t apply(const std::vector<Change>& changes);       // how many the kernel has processed
  std::uint32_t index_of(const std::string& interface) const;  // 0: there is none

  io::Loop& loop_;
  Log& log_;
  Callbacks callbacks_;
  netlink::Socket netlink_;
  io::AnnounceSocket announce_;
  Ports ports_;
  std::map<SocketKey, Socket> sockets_;
  std::deque<Work> first_;
  std::deque<Work> rest_;
  std::map<SocketKey, Listener> listeners_;
  std::map<Sender, Search> searches_;
  std::vector<vrrp::Input> facts_;
  std::set<vrrp::RouterKey> unsent_;  // whose last advertisement has not left
  TimePoint expiry_ = never;          // of the first shield, search or deafness
};

}  // namespace vipd::programs
