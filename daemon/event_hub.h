// EventHub: where all events of this node come together, in the guardian: it numbers them, gives them the
// wall clock's time, and passes them on to the monitor, which keeps the journal and serves those who watch.
// What a monitor has not taken is sent to the next one, so that nothing that has happened meanwhile is
// missing.
//
// The guardian, because it outlives the others; and because what a hook acts on must not come by way of the
// monitor, which is the one that strangers talk to.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "daemon/link.h"
#include "daemon/log.h"
#include "events/event.h"

namespace vipd::daemon {

class EventHub {
 public:
  static constexpr std::size_t most_waiting = 1024;

  // Is given all events, numbered. trusted: not from the monitor.
  using Listener = std::function<void(const std::vector<events::Event>& events, bool trusted)>;

  // started: of the guardian, for numbers that no other run has.
  EventHub(Log& log, Link& monitor, events::WallTime started, Listener listener);

  // One of the guardian's own: logged, and passed on.
  void tell(std::string_view name, std::string text, events::Fields fields = {}, bool relieved = false);
  // The same, but at most once in ten seconds for each key. false: this one was left out.
  bool tell_if_due(const std::string& key, std::string_view name, std::string text,
                   events::Fields fields = {});
  // What was logged already. What is no event that there is, is left out.
  void pass_on(std::vector<events::Event> events, bool trusted = true);
  // A new monitor is there: it gets what no other has taken.
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
  Link& monitor_;
  Listener listener_;
  std::uint64_t run_;
  std::uint64_t count_ = 0;
  std::deque<Waiting> waiting_;  // until it is taken
  std::uint64_t lost_ = 0;
};

}  // namespace vipd::daemon
