// EventHub: collects all events of this node in the guardian: it numbers them, adds the wall-clock time, and
// passes them on to the monitor, which keeps the journal and sends them to clients. Events that a monitor has
// not accepted go to the next one, so that none is missing.
//
// In the guardian, because it outlives the other programs; and because the events for hooks must not come
// from the monitor, which talks to untrusted clients.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "events/event.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/link.h"
#include "programs/common/log.h"

namespace vipd::programs {

class EventHub {
 public:
  static constexpr std::size_t most_waiting = 1024;

  // Gets all events, numbered. trusted: not from the monitor.
  using Listener = std::function<void(const std::vector<events::Event>& events, bool trusted)>;

  // started: time of the guardian's start, which makes the numbers of each run unique.
  EventHub(Log& log, Link<GuardianToMonitor, MonitorToGuardian>& monitor, events::WallTime started,
           Listener listener);

  // An event of the guardian itself: logs it and passes it on.
  void tell(std::string_view name, std::string text, events::Fields fields = {}, bool relieved = false);
  // The same, but at most once in ten seconds for each key. false: this event was dropped.
  bool tell_if_due(const std::string& key, std::string_view name, std::string text,
                   events::Fields fields = {});
  // Events that have been logged already. Unknown ones are dropped.
  void pass_on(std::vector<events::Event> events, bool trusted = true);
  // A new monitor gets the events that no other has accepted.
  void monitor_attached();
  void taken(std::uint64_t last);

 private:
  struct Waiting {
    std::uint64_t number = 0;
    events::Event event;
  };
  void keep(events::Event& event);
  events::Event make(std::string_view name, std::string text, events::Fields fields, bool relieved);
  void send(std::size_t count);

  Log& log_;
  Link<GuardianToMonitor, MonitorToGuardian>& monitor_;
  Listener listener_;
  std::uint64_t run_;
  std::uint64_t count_ = 0;
  std::deque<Waiting> waiting_;  // until the monitor has accepted it
  std::uint64_t lost_ = 0;
};

}  // namespace vipd::programs
