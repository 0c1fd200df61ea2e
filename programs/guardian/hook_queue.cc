#include "programs/guardian/hook_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "events/line.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
std::string common_state(const std::map<std::string, std::string>& states) {
  bool all_active = true;
  for (const auto& [router, state] : states) {
    if (state == "Initialize") return state;
    all_active = all_active && state == "Active";
  }
  return all_active ? "Active" : "Backup";
}

std::string field(const events::Event& event, const std::string& name) {
  const auto found = event.fields.find(name);
  return found == event.fields.end() ? std::string() : found->second;
}

// Without a zero byte, and bounded, because the kernel limits the total size.
std::string variable(std::string name, std::string value) {
  constexpr std::size_t longest = 8192;
  std::replace(value.begin(), value.end(), '\0', '?');
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char each) { return static_cast<char>(std::toupper(each)); });
  return "VIPD_" + name + "=" + value.substr(0, longest);
}

std::string word_of_keepalived(const events::Event& event) {
  const auto state = field(event, "state");
  if (state == "Active") return "MASTER";
  if (state == "Backup") return "BACKUP";
  return field(event, "reason").starts_with("vipd is stopping") ? "STOP" : "FAULT";
}
}  // namespace

std::vector<events::Event> EntryStates::changes(std::span<const events::Event> events) {
  std::map<std::string, const events::Event*> last;
  for (const auto& event : events) {
    if (event.name != vrrp::events::state_changed) continue;
    entries_[event.router].states[event.virtual_router] = field(event, "state");
    last[event.router] = &event;
  }
  std::vector<events::Event> changed;
  for (const auto& [router, event] : last) {
    auto& entry = entries_[router];
    auto state = common_state(entry.states);
    if (state == entry.told) continue;
    changed.push_back(*event);
    if (!entry.told.empty()) changed.back().fields["previous_state"] = entry.told;
    changed.back().fields["state"] = state;
    entry.told = std::move(state);
  }
  return changed;
}

void HookQueue::push(HookJob job) {
  const auto lane = lane_of(job);
  if (job.state) {
    const auto old = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const HookJob& each) { return lane_of(each) == lane; });
    if (old != waiting_.end()) {
      ++superseded_;
      // The last hook ran for the state before this one.
      if (const auto before = old->event.fields.find("previous_state"); before != old->event.fields.end())
        job.event.fields["previous_state"] = before->second;
      waiting_.erase(old);
      --counts_[lane];
    }
  }
  waiting_.push_back(std::move(job));
  if (++counts_[lane] > most_waiting) drop_oldest(lane);
}

void HookQueue::drop_oldest(const Lane& lane) {
  const auto oldest = std::find_if(waiting_.begin(), waiting_.end(),
                                   [&](const HookJob& each) { return lane_of(each) == lane; });
  waiting_.erase(oldest);
  --counts_[lane];
  ++dropped_;
}

bool HookQueue::has_next() const {
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const HookJob& each) { return !running_.contains(lane_of(each)); });
}

std::optional<HookJob> HookQueue::next() {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const HookJob& each) { return !running_.contains(lane_of(each)); });
  if (found == waiting_.end()) return std::nullopt;
  auto job = std::move(*found);
  waiting_.erase(found);
  const auto lane = lane_of(job);
  if (--counts_[lane] == 0) counts_.erase(lane);
  running_.insert(lane);
  return job;
}

void HookQueue::done(const Lane& lane) {
  running_.erase(lane);
}

std::vector<std::string> hook_environment(const events::Event& event) {
  std::vector<std::string> environment{
      variable("event", event.name),    variable("severity", std::string(to_string(event.severity))),
      variable("id", event.id),         variable("time", events::rfc3339(event.time)),
      variable("router", event.router), variable("virtual_router", event.virtual_router),
      variable("text", event.text),     variable("json", events::to_line(event))};
  const auto named = environment.size();
  for (const auto& [name, value] : event.fields) {
    if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos) continue;
    auto more = variable(name, value);
    const auto same = [&](const std::string& each) {
      return each.starts_with(more.substr(0, more.find('=') + 1));
    };
    if (std::none_of(environment.begin(), environment.begin() + static_cast<std::ptrdiff_t>(named), same))
      environment.push_back(std::move(more));
  }
  return environment;
}

std::vector<std::string> keepalived_arguments(const events::Event& event) {
  return {"INSTANCE", event.router, word_of_keepalived(event), field(event, "priority")};
}

std::string keepalived_line(const events::Event& event) {
  return fmt::format("INSTANCE \"{}\" {} {}", event.router, word_of_keepalived(event),
                     field(event, "priority"));
}

}  // namespace vipd::programs
