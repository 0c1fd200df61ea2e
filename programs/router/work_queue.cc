#include "programs/router/work_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vipd::programs {

namespace {
template <class... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};
template <class... Lambdas>
Overloaded(Lambdas...) -> Overloaded<Lambdas...>;

const vrrp::RouterKey& router_of(const auto& work) {
  return std::visit([](const auto& each) -> const vrrp::RouterKey& { return each.router; }, work);
}

void move_to(auto& to, auto& from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
  from.clear();
}
}  // namespace

Messages WorkQueue::add(const vrrp::Actions& actions) {
  Messages now;
  const auto waiting = waiting_routers();
  for (auto& [router, share] : shares(actions)) {
    if (!share.changes.empty()) {
      if (waiting.contains(router)) forget_superseded(router, share.changes);
    } else {
      move_to(now.advertisements, share.advertisements);
      if (!waiting.contains(router)) move_to(now.announcements, share.announcements);
    }
    enqueue(std::move(share));
  }
  return now;
}

std::map<vrrp::RouterKey, WorkQueue::Share> WorkQueue::shares(const vrrp::Actions& actions) {
  std::map<vrrp::RouterKey, Share> shares;
  for (const auto& action : actions) {
    std::visit(
        Overloaded{
            [&](const vrrp::Put& put) {
              shares[put.router].changes.push_back({put.router, true, put.resource});
            },
            [&](const vrrp::Drop& drop) {
              shares[drop.router].changes.push_back({drop.router, false, drop.resource});
            },
            [&](const vrrp::Renew& renew) {
              for (const auto& each : renew.resources)
                shares[renew.router].renewals.push_back({renew.router, true, each});
            },
            [&](const vrrp::SendAdvertisement& send) { shares[send.router].advertisements.push_back(send); },
            [&](const vrrp::Announce& announce) {
              shares[announce.router].announcements.push_back(announce);
            },
            [&](const vrrp::Probe& probe) {
              shares[probe.router].announcements.push_back(
                  {probe.router, probe.interface, probe.address, probe.frame});
            },
            [](const vrrp::StateChanged&) {},
            [](const vrrp::AdvertisementDiscarded&) {},
            [](const vrrp::IdentifySender&) {},
            [](const vrrp::Noted&) {},
        },
        action);
  }
  return shares;
}

std::set<vrrp::RouterKey> WorkQueue::waiting_routers() const {
  std::set<vrrp::RouterKey> routers;
  for (const auto* queue : {&first_, &rest_})
    for (const auto& work : *queue) routers.insert(router_of(work));
  return routers;
}

// A change replaces waiting changes of the same resource; and a router that leaves no longer sends or
// announces.
void WorkQueue::forget_superseded(const vrrp::RouterKey& router, const std::vector<ResourceChange>& changes) {
  std::set<vrrp::Resource, vrrp::ByIdentity> touched;
  bool leaves = false;
  for (const auto& change : changes) {
    touched.insert(change.resource);
    leaves = leaves || !change.put;
  }
  const auto superseded = [&](const Work& work) {
    if (router_of(work) != router) return false;
    const auto* change = std::get_if<ResourceChange>(&work);
    return change ? touched.contains(change->resource) : leaves;
  };
  std::erase_if(first_, superseded);
  std::erase_if(rest_, superseded);
}

void WorkQueue::enqueue(Share share) {
  auto* queue = &first_;
  auto announcement = share.announcements.begin();
  for (std::size_t begin = 0; begin < share.changes.size(); begin += slice_size_, queue = &rest_) {
    const auto end = std::min(begin + slice_size_, share.changes.size());
    std::set<IpAddress> in_this_slice;
    for (auto i = begin; i < end; ++i) {
      if (const auto* address = std::get_if<vrrp::VirtualAddress>(&share.changes[i].resource))
        in_this_slice.insert(address->prefix.address);
      queue->push_back(std::move(share.changes[i]));
    }
    if (begin == 0)
      std::move(share.advertisements.begin(), share.advertisements.end(), std::back_inserter(*queue));
    // Announcements come in the order of the addresses.
    while (announcement != share.announcements.end() && in_this_slice.contains(announcement->address))
      queue->push_back(std::move(*announcement++));
  }
  std::move(announcement, share.announcements.end(), std::back_inserter(rest_));
  std::move(share.renewals.begin(), share.renewals.end(), std::back_inserter(rest_));
}

std::vector<ResourceChange> WorkQueue::slice() const {
  std::vector<ResourceChange> changes;
  for (const auto& work : next()) {
    const auto* change = std::get_if<ResourceChange>(&work);
    if (!change) continue;
    if (changes.size() == slice_size_) break;
    changes.push_back(*change);
  }
  return changes;
}

Messages WorkQueue::finish(std::size_t done) {
  Messages messages;
  auto& queue = first_.empty() ? rest_ : first_;
  while (!queue.empty()) {
    auto& work = queue.front();
    if (std::holds_alternative<ResourceChange>(work) && done-- == 0) break;
    if (auto* advertisement = std::get_if<vrrp::SendAdvertisement>(&work))
      messages.advertisements.push_back(std::move(*advertisement));
    if (auto* announcement = std::get_if<vrrp::Announce>(&work))
      messages.announcements.push_back(std::move(*announcement));
    queue.pop_front();
  }
  return messages;
}

}  // namespace vipd::programs
