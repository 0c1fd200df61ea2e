// AdvertPorts: the sockets through which this node sends and receives advertisements, one for each interface
// and family, each with its guard against floods. It moves datagrams; vrrp/ decides what they mean.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "io/advert_socket.h"
#include "io/loop.h"
#include "programs/common/log.h"
#include "programs/router/flood_guard.h"
#include "programs/router/port.h"
#include "vrrp/action.h"

namespace vipd::programs {

class AdvertPorts {
 public:
  struct Callbacks {
    std::function<void(const std::string& interface, const io::Datagram& datagram)> received;
    // The shield for a socket: which advertisements matter there.
    std::function<io::Shield(const std::string& interface, Family family)> what_matters;
    // A flood has begun, or continues.
    std::function<void(const std::string& interface, Family family)> flooded;
  };

  AdvertPorts(io::Loop& loop, Log& log, Callbacks callbacks)
      : loop_(loop), log_(log), callbacks_(std::move(callbacks)) {}

  // Opens, reopens and closes sockets to match.
  void set_ports(const Ports& ports);

  // Reads the queued datagrams of all sockets, and calls back for each.
  void receive_all();

  void send(const std::vector<vrrp::SendAdvertisement>& advertisements);
  // Whether the last advertisement of the virtual router has been sent.
  bool advertises(const vrrp::RouterKey& router) const { return !unsent_.contains(router); }

  // Updates the shields that are set, because a priority or a state has changed.
  void renew_shields();
  // Renews and removes the shields whose time has come.
  void expire(TimePoint now);

 private:
  struct Open {
    io::AdvertSocket socket;
    std::vector<std::uint8_t> vrids;
    io::Watch watch;
    FloodGuard guard;
  };

  void open(const PortKey& key, std::uint32_t index, const std::vector<std::uint8_t>& vrids);
  void receive(const PortKey& key);
  void set_shield(const PortKey& key, Open& port);

  io::Loop& loop_;
  Log& log_;
  Callbacks callbacks_;
  std::map<PortKey, Open> open_;
  std::set<vrrp::RouterKey> unsent_;  // whose last advertisement has not left
  TimePoint expiry_ = never;          // the earliest deadline of all guards
};

}  // namespace vipd::programs
