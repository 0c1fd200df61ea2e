#include "ctl/events.h"

#include <fmt/format.h>

#include <charconv>
#include <deque>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <thread>

#include "base/words.h"
#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/moment.h"
#include "ctl/wording.h"
#include "events/journal_files.h"
#include "events/line.h"

namespace vipd::ctl {

namespace {
using namespace std::chrono_literals;
using events::Event;
using nlohmann::json;

constexpr std::size_t lines_before_following = 10;
constexpr std::size_t most_remembered = 8192;  // ids of shown events
constexpr auto pause_without_vipd = 500ms;
// How far back to read the journal again after a restart of vipd.
constexpr auto overlap = 1min;

events::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

bool is_absent(const Error& error) {
  return error.code == ENOENT || error.code == ECONNREFUSED || error.code == ECONNRESET;
}

Result<std::optional<std::size_t>> parse_lines(const EventsOptions& options) {
  if (options.lines.empty() && options.follow && options.since.empty())
    return std::optional(lines_before_following);
  if (options.lines.empty() || options.lines == "all") return std::optional<std::size_t>{};
  std::size_t count = 0;
  const auto* const end = options.lines.data() + options.lines.size();
  const auto [last, code] = std::from_chars(options.lines.data(), end, count);
  if (code != std::errc{} || last != end)
    return failure(fmt::format("--lines is {}, it must be a number or all", quote(options.lines)), EINVAL);
  return std::optional(count);
}

class Show {
 public:
  Show(const EventsOptions& options, Selection selection, std::ostream& out, std::ostream& err)
      : options_(options), selection_(std::move(selection)), out_(out), err_(err) {}

  Result<> run() {
    while (true) {
      const auto done = once();
      if (!options_.follow || (!done && !is_absent(done.error()))) return done;
      if (!done && !std::exchange(reported_absent_, true))
        err_ << "vipctl: " << printable(done.error().message, LineBreaks::stay) << "; waiting for it\n"
             << std::flush;
      std::this_thread::sleep_for(pause_without_vipd);
      selection_.lines.reset();
      selection_.since =
          std::max(selection_.since, last_ == events::WallTime{} ? selection_.since : last_ - overlap);
    }
  }

 private:
  // Shows the events so far, then with --follow new ones until vipd closes the connection.
  Result<> once() {
    auto client = Client::connect(options_.run_dir);
    if (!client) return without_vipd(client.error());
    if (!options_.directory.empty())
      if (const auto other = TRY(other_journal(*client)); other) return read_other_journal(*other);
    const auto reply = TRY(client->request({{"v", 1}, {"command", "events"}, {"follow", options_.follow}}));
    reported_absent_ = false;
    if (const auto trouble = text(reply, "trouble"); !trouble.empty())
      err_ << "vipctl: vipd cannot write events to disk: " << trouble << "\n";
    const auto reported = text(reply, "directory");
    const auto directory = !options_.directory.empty() ? options_.directory
                           : reported.empty()          ? default_journal
                                                       : reported;
    // Merges the events that vipd remembers, oldest first, with those on disk.
    std::deque<Event> remembered;
    for (const auto& each : list(reply, "recent"))
      if (auto event = events::parse_line(each.dump())) remembered.push_back(std::move(*event));
    const auto take_remembered = [&](events::WallTime until) {
      for (; !remembered.empty() && remembered.front().time <= until; remembered.pop_front())
        take(remembered.front());
    };
    // Right after the start of vipd there may be no journal yet.
    const auto read = read_journal(directory, [&](const Event& event) {
      take_remembered(event.time);
      take(event);
    });
    if (!read && read.error().code != ENOENT)
      err_ << "vipctl: " << printable(read.error().message, LineBreaks::stay)
           << "; the events that vipd remembers follow\n";
    take_remembered(events::WallTime::max());
    end_of_the_past();
    while (options_.follow) {
      const auto event = TRY(client->next_event(-1));
      if (const auto known = events::parse_line(event.dump())) take(*known);
    }
    return {};
  }

  // The directory of the running vipd, if it is not the one of --directory.
  Result<std::optional<std::string>> other_journal(Client& client) const {
    const auto reply = TRY(client.request({{"v", 1}, {"command", "events"}, {"follow", false}}));
    auto its = text(reply, "directory");
    std::error_code error;
    if (options_.directory == its || std::filesystem::equivalent(options_.directory, its, error))
      return std::nullopt;
    return its;
  }

  // The events of the running vipd do not belong to this journal.
  Result<> read_other_journal(const std::string& its) {
    if (options_.follow)
      return failure(
          fmt::format("--follow shows events of the running vipd, which writes them to {}, not to {}: omit "
                      "--directory or --follow",
                      its.empty() ? "no directory" : its, options_.directory),
          EINVAL);
    auto read = read_journal(options_.directory);
    end_of_the_past(read.has_value());
    if (!read && read.error().code == ENOENT) return failure(read.error().message, EINVAL);
    return read;
  }

  Result<> without_vipd(const Error& error) {
    if (error.code == EACCES && options_.directory.empty()) return tl::unexpected(error);
    const auto directory = options_.directory.empty() ? default_journal : options_.directory;
    if (options_.directory.empty() && !options_.follow && std::filesystem::exists(directory))
      err_ << fmt::format("vipctl: no vipd answers at {}/control; these are the events in {}\n",
                          options_.run_dir, directory)
           << std::flush;
    auto read = read_journal(directory);
    end_of_the_past(read.has_value());
    if (options_.follow) return tl::unexpected(error);
    if (read) return {};
    if (read.error().code != ENOENT) return read;
    return failure(
        fmt::format("{}; and there is no journal in {}: set --directory", error.message, directory),
        error.code);
  }

  Result<> read_journal(const std::string& directory) {
    return read_journal(directory, [this](const Event& event) { take(event); });
  }

  Result<> read_journal(const std::string& directory, const std::function<void(const Event&)>& each) const {
    return events::read_journal(directory, selection_.since,
                                [&](const Event& event, const std::string&) { each(event); });
  }

  void take(const Event& event) {
    if (!selection_.takes(event)) return;
    if (!event.id.empty() && !shown_.insert(event.id).second) return;
    order_.push_back(event.id);
    if (order_.size() > most_remembered) {
      shown_.erase(order_.front());
      order_.pop_front();
    }
    last_ = std::max(last_, event.time);
    if (!selection_.lines || past_is_over_) return print(event);
    waiting_.push_back(event);
    if (waiting_.size() > *selection_.lines) waiting_.pop_front();
  }

  // known: the whole journal could be read.
  void end_of_the_past(bool known = true) {
    if (known && shown_.empty() && !options_.follow && !options_.as_json)
      err_ << "vipctl: no matching events\n";
    for (const auto& event : waiting_) print(event);
    waiting_.clear();
    past_is_over_ = true;
    out_ << std::flush;
  }

  void print(const Event& event) {
    out_ << (options_.as_json ? events::to_line(event) + "\n" : event_line(event, options_.colours));
    if (past_is_over_) out_ << std::flush;
  }

  const EventsOptions& options_;
  Selection selection_;
  std::ostream& out_;
  std::ostream& err_;
  std::set<std::string> shown_;
  std::deque<std::string> order_;  // of shown events
  std::deque<Event> waiting_;      // candidates for the last ones
  bool past_is_over_ = false;
  bool reported_absent_ = false;
  events::WallTime last_{};
};
}  // namespace

bool Selection::takes(const Event& event) const {
  return event.time >= since && event.time <= until && event.severity <= severity &&
         (router.empty() || event.router == router);
}

Result<Selection> selection_of(const EventsOptions& options, events::WallTime now) {
  const auto moment = [&](const std::string& name, const std::string& text) -> Result<events::WallTime> {
    auto time = parse_moment(text, now);
    if (!time) return failure(fmt::format("{}: {}", name, time.error().message), EINVAL);
    return *time;
  };
  Selection selection;
  if (!options.since.empty()) selection.since = TRY(moment("--since", options.since));
  if (!options.until.empty()) selection.until = TRY(moment("--until", options.until));
  if (!options.severity.empty()) {
    const auto severity = events::parse_severity(options.severity);
    if (!severity)
      return failure(fmt::format("--severity is {}, it must be P0, P1 or P2", quote(options.severity)),
                     EINVAL);
    selection.severity = *severity;
  }
  selection.router = options.router;
  selection.lines = TRY(parse_lines(options));
  return selection;
}

std::string event_line(const Event& event, bool colours) {
  const auto severity = std::string(events::to_string(event.severity));
  const auto who = event.router.empty() ? "" : fmt::format("{}, {}: ", event.router, event.virtual_router);
  return fmt::format("{} {} {} {}\n", events::rfc3339(event.time),
                     coloured(severity, severity_colour(severity), colours), printable(event.name),
                     printable(who + event.text));
}

std::string event_line(const json& event, bool colours) {
  const auto known = events::parse_line(event.dump());
  return known ? event_line(*known, colours) : std::string();
}

Result<> show_events(const EventsOptions& options, std::ostream& out, std::ostream& err) {
  auto selection = TRY(selection_of(options, wall_now()));
  return Show(options, std::move(selection), out, err).run();
}

}  // namespace vipd::ctl
