// Effects: the one place where an action of the engine becomes a system call. It only connects the parts:
//   work_queue        what waits, in which order
//   kernel_resources  changes of addresses in the kernel
//   advert_ports      advertisements, out and in
//   sender_search     from which MAC address an advertisement comes
//   claim_listeners   claims of other hosts to our addresses
// Advertisements never wait for long: changes are made in slices, and run_slice() makes the rest, turn by
// turn. What the parts notice comes back as engine inputs.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "io/announce_socket.h"
#include "io/loop.h"
#include "programs/common/log.h"
#include "programs/router/advert_ports.h"
#include "programs/router/claim_listeners.h"
#include "programs/router/kernel_resources.h"
#include "programs/router/packet_sockets.h"
#include "programs/router/port.h"
#include "programs/router/sender_search.h"
#include "programs/router/work_queue.h"
#include "vrrp/action.h"
#include "vrrp/input.h"

namespace vipd::programs {

class Effects {
 public:
  static Result<std::unique_ptr<Effects>> open(io::Loop& loop, Log& log, AdvertPorts::Callbacks callbacks,
                                               const DiscardSocket& discard);

  // Call it when the configuration or an interface has changed.
  void set_ports(Ports ports);
  AdvertPorts& adverts() { return adverts_; }

  // Ignores StateChanged, Noted and AdvertisementDiscarded, which require no system call.
  void perform(const vrrp::Actions& actions);

  bool has_work() const { return !queue_.empty(); }
  void run_slice();

  // Call it in each turn: ends temporary shields, searches and pauses that have expired.
  void expire();

  // What has become known since the last call: addresses that the kernel refused, senders that were
  // identified, addresses that other hosts claim.
  std::vector<vrrp::Input> take_facts() { return std::exchange(facts_, {}); }

 private:
  Effects(io::Loop& loop, Log& log, AdvertPorts::Callbacks callbacks, const DiscardSocket& discard,
          netlink::Socket netlink, io::AnnounceSocket announce);
  void announce(const std::vector<vrrp::Announce>& announcements);
  ReportFact report();

  Log& log_;
  Ports ports_;
  AdvertPorts adverts_;
  ClaimListeners claims_;
  SenderSearch searches_;
  KernelResources resources_;
  io::AnnounceSocket announce_;
  WorkQueue queue_{KernelResources::slice_size};
  std::vector<vrrp::Input> facts_;
};

}  // namespace vipd::programs
