// ClaimSocket: what other stations on a link say about having certain addresses: ARP packets with such a
// sender, Neighbor Advertisements with such a target. One family on one interface. What this host itself
// sends does not arrive.
//
// The kernel drops what concerns other addresses (its filter looks at the last byte, the rest is done here),
// so a busy link costs nothing. What cannot be read in time is lost, which does not matter: a conflict
// repeats.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "base/ip.h"
#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

class ClaimSocket {
 public:
  // Hears nothing before the first set_addresses(). Needs CAP_NET_RAW.
  static Result<ClaimSocket> open(Family family, const std::string& interface, std::uint32_t index);

  int fd() const { return fd_.get(); }
  Fd release() { return std::move(fd_); }
  std::uint32_t interface_index() const { return index_; }

  // The ones that are of interest from now on; those of the other family are ignored.
  Result<> set_addresses(std::set<IpAddress> addresses);

  // Calls back for what is queued, at most 64 a call. mac: nothing but zeros if the station did not say.
  void receive(const std::function<void(const IpAddress& address, const MacAddress& mac)>& claimed);

 private:
  ClaimSocket(Fd fd, Family family, std::string interface, std::uint32_t index)
      : fd_(std::move(fd)), family_(family), interface_(std::move(interface)), index_(index) {}
  Result<> apply_filter();

  Fd fd_;
  Family family_;
  std::string interface_;
  std::uint32_t index_;
  std::set<IpAddress> addresses_;
};

}  // namespace vipd::io
