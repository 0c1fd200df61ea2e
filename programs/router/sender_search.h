// SenderSearch: finds the MAC address of senders that the engine asks for, should they be heard again soon,
// and reports it to the engine. A search stays open until the sender is heard, at most a minute, because it
// costs a little for each packet.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "io/loop.h"
#include "io/sender_tap.h"
#include "programs/common/log.h"
#include "programs/router/packet_sockets.h"
#include "vrrp/action.h"

namespace vipd::programs {

class SenderSearch {
 public:
  // report: takes vrrp::SenderIdentified.
  SenderSearch(io::Loop& loop, Log& log, ReportFact report, DiscardSocket discard)
      : loop_(loop), log_(log), report_(std::move(report)), discard_(std::move(discard)) {}

  void begin(const vrrp::IdentifySender& wanted, std::uint32_t interface_index);
  // Ends the searches whose time is over.
  void expire(TimePoint now);

 private:
  struct Search {
    io::SenderTap tap;
    TimePoint until;
    io::Watch watch;
  };
  using Sender = std::pair<std::string, IpAddress>;  // on an interface
  using Searches = std::map<Sender, Search>;

  void found(const Sender& sender);
  Searches::iterator end(Searches::iterator search);

  io::Loop& loop_;
  Log& log_;
  ReportFact report_;
  DiscardSocket discard_;
  Searches searches_;
  TimePoint expiry_ = never;  // of the first search
};

}  // namespace vipd::programs
