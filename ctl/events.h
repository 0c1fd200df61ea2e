// `vipctl events`: the events of this node, from the journal on disk and from the running vipd, which may
// remember events that are not on disk; with --follow also new events, across restarts of vipd.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/result.h"
#include "events/event.h"

namespace vipd::ctl {

constexpr const char* default_journal = "/var/lib/vipd/events";

struct EventsOptions {
  std::string run_dir;
  std::string directory;  // of the journal; empty: the one that vipd reports, or default_journal
  bool follow = false;
  bool as_json = false;
  bool colours = false;
  std::string since;  // see ctl/moment.h
  std::string until;
  std::string severity;  // minimum, such as "P1"
  std::string router;
  std::string lines;  // how many of the last ones, or "all"
};

// Which events to show.
struct Selection {
  events::WallTime since = events::WallTime::min();
  events::WallTime until = events::WallTime::max();
  events::Severity severity = events::Severity::p2;
  std::string router;
  std::optional<std::size_t> lines;

  bool takes(const events::Event& event) const;
};
Result<Selection> selection_of(const EventsOptions& options, events::WallTime now);

// One line of text. Empty: not an event.
std::string event_line(const events::Event& event, bool colours);
std::string event_line(const nlohmann::json& event, bool colours);

// An Error as from ctl::Client. EINVAL: an option is wrong.
Result<> show_events(const EventsOptions& options, std::ostream& out, std::ostream& err);

}  // namespace vipd::ctl
