// Effects: the one place where an action of the engine becomes a system call.
//
// Advertisements never wait for anything. Changes of addresses leave in slices of one netlink batch, so that
// a take-over of thousands of addresses does not hold up the loop: what is left is done by run_slice(), turn
// by turn. Each virtual router's first slice goes before its first advertisement, and before the rest of
// everybody's; an address is announced as soon as it is there, that of the first slice before the
// advertisement. What fails comes back as events.
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
  // The least priority of an advertisement that matters there.
  using WhatMatters = std::function<io::Shield(const std::string& interface, Family family)>;
  // A flood has begun, or goes on.
  using Flooded = std::function<void(const std::string& interface, Family family)>;
  // A packet socket that is not needed any more: closing it takes the kernel some time, up to a tenth of a
  // second under load, so somebody else shall.
  using Discard = std::function<void(io::Fd socket)>;
  struct Callbacks {
    Received received;
    WhatMatters what_matters;
    Flooded flooded;
    Discard discard;
  };

  // What the configuration and the kernel make of an interface.
  struct Port {
    Interface interface;  // with the host's own addresses only, the virtual ones left out
    std::map<Family, std::vector<std::uint8_t>> vrids;  // which virtual routers shall be heard
    std::set<IpAddress> virtual_addresses;
  };
  using Ports = std::map<std::string, Port>;  // by the interface's name

  static Result<std::unique_ptr<Effects>> open(io::Loop& loop, Log& log, Callbacks callbacks);

  // Opens, reopens and closes sockets accordingly. To be called when the configuration or an interface has
  // changed.
  void set_ports(Ports ports);

  // Under a flood: to be called when a priority or state has changed.
  void renew_shields();

  // Reads what is queued in all sockets; a call for each datagram.
  void receive_all();

  // StateChanged, Noted and AdvertisementDiscarded are nothing to be done here and are ignored.
  void perform(const vrrp::Actions& actions);

  bool has_work() const { return !first_.empty() || !rest_.empty(); }
  void run_slice();

  // To be called in each turn: lets go of what was meant for a while.
  void expire();

  // Has its last advertisement left?
  bool advertises(const vrrp::RouterKey& router) const { return !unsent_.contains(router); }

  // Since the last call: addresses that the kernel refused, senders that were identified, addresses that
  // others claim.
  std::vector<vrrp::Input> take_facts() { return std::exchange(facts_, {}); }

 private:
  struct Socket {
    io::AdvertSocket socket;
    std::vector<std::uint8_t> vrids;
    io::Watch watch;
    // How many datagrams are all right just now; it grows with time, up to a limit.
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
  // Somebody whose MAC address is looked for.
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
  // In the order in which it leaves.
  using Work = std::variant<Change, vrrp::SendAdvertisement, vrrp::Announce>;
  // What one step asks of one virtual router.
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
  std::size_t apply(const std::vector<Change>& changes);       // how many the kernel got to
  std::uint32_t index_of(const std::string& interface) const;  // 0: not there

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
