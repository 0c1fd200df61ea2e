// ClaimSocket: receives the claims of other stations on a link to certain addresses: ARP packets with such a
// sender, Neighbor Advertisements with such a target. One family on one interface. It does not receive what
// this host itself sends.
//
// The kernel drops packets about other addresses (its filter checks the last byte, this class the rest), so a
// busy link costs nothing. Packets that cannot be read in time are lost, which does not matter: a conflict
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
  // Receives nothing before the first set_addresses(). Needs CAP_NET_RAW.
  static Result<ClaimSocket> open(Family family, const std::string& interface, std::uint32_t index);

  int fd() const { return fd_.get(); }
  Fd release() { return std::move(fd_); }
  std::uint32_t interface_index() const { return index_; }

  // Sets the addresses of interest; ignores those of the other family.
  Result<> set_addresses(std::set<IpAddress> addresses);

  // Calls back for the queued claims, at most 64 per call. mac: all zeros if the message did not contain it.
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
