// `vipctl events`: what has happened on this node, from the journal on disk and from the running vipd, which
// may know what the disk does not; with --follow what happens from now on, through restarts of vipd too.
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
  std::string directory;  // of the journal; empty: as vipd says, or default_journal
  bool follow = false;
  bool as_json = false;
  bool colours = false;
  std::string since;  // as ctl/moment.h
  std::string until;
  std::string severity;  // "P1": and what is graver
  std::string router;
  std::string lines;  // the last ones only; "all"
};

// What of all that to show.
struct Selection {
  events::WallTime since = events::WallTime::min();
  events::WallTime until = events::WallTime::max();
  events::Severity severity = events::Severity::p2;
  std::string router;
  std::optional<std::size_t> lines;

  bool takes(const events::Event& event) const;
};
Result<Selection> selection_of(const EventsOptions& options, events::WallTime now);

// A line for people. Empty: it is no event.
std::string event_line(const events::Event& event, bool colours);
std::string event_line(const nlohmann::json& event, bool colours);

// An Error as ctl::Client has it. EINVAL: an option makes no sense.
Result<> show_events(const EventsOptions& options, std::ostream& out, std::ostream& err);

}  // namespace vipd::ctl
