#include "programs/guardian/event_hub.h"

#include <fmt/format.h>

#include <algorithm>

#include "events/names.h"
#include "programs/common/clock.h"
#include "programs/common/event_log.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
events::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
}  // namespace

EventHub::EventHub(Log& log, Link<GuardianToMonitor, MonitorToGuardian>& monitor, events::WallTime started,
                   Listener listener)
    : log_(log),
      monitor_(monitor),
      listener_(std::move(listener)),
      run_(static_cast<std::uint64_t>(started.time_since_epoch().count())) {}

events::Event EventHub::make(std::string_view name, std::string text, events::Fields fields, bool relieved) {
  auto event = events::make_event(name, std::move(text), relieved);
  event.fields = std::move(fields);
  event.when = now();
  log_event(log_, event);
  return event;
}

void EventHub::tell(std::string_view name, std::string text, events::Fields fields, bool relieved) {
  pass_on({make(name, std::move(text), std::move(fields), relieved)});
}

bool EventHub::tell_if_due(const std::string& key, std::string_view name, std::string text,
                           events::Fields fields) {
  auto event = events::make_event(name, std::move(text));
  event.fields = std::move(fields);
  event.when = now();
  if (!log_limited(log_, key, event)) return false;
  pass_on({std::move(event)});
  return true;
}

// Only the router reports changes of state.
void EventHub::pass_on(std::vector<events::Event> events, bool trusted) {
  std::erase_if(events, [trusted](const auto& event) {
    return events::find_kind(event.name) == nullptr ||
           (!trusted && event.name == vrrp::events::state_changed);
  });
  for (auto& event : events) keep(event);
  if (monitor_.attached()) send(std::min(events.size(), waiting_.size()));
  if (!events.empty()) listener_(events, trusted);
}

void EventHub::keep(events::Event& event) {
  const auto age = std::max(now() - event.when, Duration::zero());
  event.id = fmt::format("{:x}-{}", run_, ++count_);
  event.time = wall_now() - std::chrono::duration_cast<std::chrono::milliseconds>(age);
  waiting_.push_back({count_, event});
  for (; waiting_.size() > most_waiting; waiting_.pop_front()) ++lost_;
}

// Sends the last `count` events.
void EventHub::send(std::size_t count) {
  if (count == 0) return;
  Happened happened;
  happened.last = count_;
  for (auto each = waiting_.end() - static_cast<std::ptrdiff_t>(count); each != waiting_.end(); ++each)
    happened.events.push_back(each->event);
  monitor_.send(happened);
}

void EventHub::monitor_attached() {
  if (lost_ > 0) {
    // The report takes the place of one more.
    for (; waiting_.size() >= most_waiting; waiting_.pop_front()) ++lost_;
    auto event =
        make(events::events_lost, fmt::format("lost {} events while vipd-monitor did not accept them", lost_),
             {{"count", std::to_string(lost_)}}, false);
    keep(event);
  }
  lost_ = 0;
  send(waiting_.size());
}

void EventHub::taken(std::uint64_t last) {
  while (!waiting_.empty() && waiting_.front().number <= last) waiting_.pop_front();
}

}  // namespace vipd::programs
