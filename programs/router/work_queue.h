// WorkQueue: what waits for the kernel, in the order in which it must happen.
//
// Changes of resources are made in slices, so that a take-over of thousands of addresses does not hold up the
// loop of the router. The order:
// - The first slice of each virtual router comes before its first advertisement, and before the further
//   slices of all virtual routers.
// - An address is announced as soon as it is there, those of the first slice before the advertisement.
// - Renewals come last.
// - An advertisement that needs no change of its own virtual router waits for nothing.
// It holds actions and decides nothing else: no descriptor, clock or log. programs/router/effects performs
// what it hands out.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <variant>
#include <vector>

#include "vrrp/action.h"

namespace vipd::programs {

// A change of a resource that an Active holds in the kernel.
struct ResourceChange {
  vrrp::RouterKey router;
  bool put = true;  // or renew; false: drop
  vrrp::Resource resource;
};

// What leaves by packets.
struct Messages {
  std::vector<vrrp::SendAdvertisement> advertisements;
  std::vector<vrrp::Announce> announcements;
};

class WorkQueue {
 public:
  // slice_size: how many changes at once.
  explicit WorkQueue(std::size_t slice_size) : slice_size_(slice_size) {}

  // Takes the actions of one turn. Returns the messages that wait for nothing. Ignores actions that concern
  // neither resources nor packets.
  Messages add(const vrrp::Actions& actions);

  bool empty() const { return first_.empty() && rest_.empty(); }
  // Whether the first slice of a virtual router is waiting, and its advertisement with it.
  bool urgent() const { return !first_.empty(); }

  // The changes to make next; they stay in the queue until finish(). None: only messages wait.
  std::vector<ResourceChange> slice() const;
  // The kernel has processed the first `done` changes of the slice, with whatever result. Returns the messages
  // that have waited for them. The other changes are the beginning of the next slice.
  Messages finish(std::size_t done);

 private:
  using Work = std::variant<ResourceChange, vrrp::SendAdvertisement, vrrp::Announce>;
  using Queue = std::deque<Work>;
  // The actions for one virtual router.
  struct Share {
    std::vector<ResourceChange> changes;
    std::vector<vrrp::SendAdvertisement> advertisements;
    std::vector<vrrp::Announce> announcements;
    std::vector<ResourceChange> renewals;
  };

  static std::map<vrrp::RouterKey, Share> shares(const vrrp::Actions& actions);
  std::set<vrrp::RouterKey> waiting_routers() const;
  void forget_superseded(const vrrp::RouterKey& router, const std::vector<ResourceChange>& changes);
  void enqueue(Share share);
  const Queue& next() const { return first_.empty() ? rest_ : first_; }

  std::size_t slice_size_;
  Queue first_;
  Queue rest_;
};

}  // namespace vipd::programs
