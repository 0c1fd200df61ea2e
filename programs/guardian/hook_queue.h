// HookQueue: the events that hooks must still run for, in order for each entry. The latest state wins: of the
// changes of state that arrive while a hook runs, only the last one is kept. Changes of state and other
// events wait separately, so that many events do not delay a change of state. Bounded: the oldest events are
// dropped and counted.
//
// Pure: it runs nothing and has no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "events/event.h"

namespace vipd::programs {

struct HookJob {
  bool state = false;  // a change of state: event.fields["state"] is the new one
  events::Event event;
};

// The common state of the virtual routers of one entry, one for each family: Active if all are, Initialize if
// one is.
class EntryStates {
 public:
  // Of the events of one moment, those that change the state of an entry: the last one of each, with that
  // state.
  std::vector<events::Event> changes(std::span<const events::Event> events);

 private:
  struct Entry {
    std::map<std::string, std::string> states;  // by Event::virtual_router
    std::string told;
  };
  std::map<std::string, Entry> entries_;
};

class HookQueue {
 public:
  static constexpr std::size_t most_waiting = 64;  // events, for each entry

  using Lane = std::pair<std::string, bool>;  // name of the entry, and whether it is for changes of state
  static Lane lane_of(const HookJob& job) { return {job.event.router, job.state}; }

  void push(HookJob job);
  // The next one, in order, whose predecessors are done.
  std::optional<HookJob> next();
  void done(const Lane& lane);

  bool empty() const { return waiting_.empty() && running_.empty(); }
  bool has_next() const;
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t superseded() const { return superseded_; }  // replaced by a later state

 private:
  void drop_oldest(const Lane& lane);

  std::deque<HookJob> waiting_;
  std::map<Lane, std::size_t> counts_;
  std::set<Lane> running_;
  std::uint64_t dropped_ = 0;
  std::uint64_t superseded_ = 0;
};

// "NAME=value" for programs: the event and its fields, VIPD_EVENT=..., VIPD_STATE=...
std::vector<std::string> hook_environment(const events::Event& event);

// {"INSTANCE", "edge", "MASTER", "250"}: what keepalived gives to its notify scripts.
std::vector<std::string> keepalived_arguments(const events::Event& event);
// INSTANCE "edge" MASTER 250: the line of its FIFO, without a line break.
std::string keepalived_line(const events::Event& event);

}  // namespace vipd::programs
