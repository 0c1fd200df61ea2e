#include "ctl/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ctl/answer.h"
#include "ctl/wording.h"

namespace vipd::ctl {

namespace {
using nlohmann::json;

constexpr std::size_t most_events = 200;
constexpr std::size_t fewest_rows = 6;  // with fewer, only the title and the alarms are shown
constexpr std::size_t spark_width = 20;

// The first `count` characters.
std::string_view first(std::string_view text, std::size_t count) {
  std::size_t i = 0;
  for (; i < text.size(); ++i)
    if ((text[i] & 0xc0) != 0x80 && count-- == 0) break;
  return text.substr(0, i);
}

// A line grows from left to right. Colours take no room; text that does not fit is cut.
class Line {
 public:
  Line(std::size_t columns, Style style) : left_(columns), style_(style) {}

  // In `width` characters, cut or filled up; the rest of the line if it is 0.
  Line& add(std::string_view text, std::size_t width = 0, std::string_view colour = {}) {
    const auto room = width == 0 ? left_ : std::min(width, left_);
    const auto whole = width == 0 ? std::min(room, characters(text)) : room;
    std::string shown(text);
    if (characters(text) > room && room > 0)
      shown = std::string(first(text, room - 1)) + (style_.unicode ? "…" : "~");
    if (room == 0) return *this;
    text_ += coloured(shown, colour, style_.colours);
    text_.append(whole - std::min(whole, characters(shown)), ' ');
    left_ -= whole;
    return *this;
  }
  Line& gap() { return add(" ", 1); }
  Line& fill_until(std::size_t room) { return left_ > room ? add("", left_ - room) : *this; }
  std::string text() const { return text_; }

 private:
  std::size_t left_;
  Style style_;
  std::string text_;
};

// A level for each latency, between zero and the longest one shown; a failure is an x.
Line& add_spark(Line& line, const std::deque<double>& latencies, Style style) {
  constexpr std::array<std::string_view, 8> levels{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::string_view levels_in_ascii = "_.-:=+*#";
  const auto count = std::min(latencies.size(), spark_width);
  const auto begin = latencies.end() - static_cast<std::ptrdiff_t>(count);
  const double longest = count == 0 ? 0 : *std::max_element(begin, latencies.end());
  line.add("", spark_width - count);
  for (auto each = begin; each != latencies.end(); ++each) {
    if (*each == CheckHistory::failed) {
      line.add("x", 1, check_colour("down"));
      continue;
    }
    const auto level = longest <= 0 ? 0 : static_cast<std::size_t>(*each / longest * 7.999);
    line.add(style.unicode ? levels.at(level) : levels_in_ascii.substr(level, 1), 1);
  }
  return line;
}

class Drawing {
 public:
  Drawing(const View& view, Size size, Style style) : view_(view), size_(size), style_(style) {}

  std::string title() const {
    std::map<std::string, int> states;
    for (const auto& router : list(view_.status, "routers")) ++states[text(router, "state")];
    std::string sum;
    for (const char* state : {"Active", "Backup", "Initialize"})
      if (states[state] > 0) sum += fmt::format("{}{} {}", sum.empty() ? "" : ", ", states[state], state);
    auto one = line();
    one.add(fmt::format("vipd {} on {}", text(view_.status, "version"), view_.node));
    if (!sum.empty()) one.add("   " + sum);
    return one.fill_until(characters(view_.time) + 1).gap().add(view_.time).text();
  }

  // Shown however small the terminal is.
  std::vector<std::string> alarms() const {
    std::vector<std::string> lines;
    if (!view_.trouble.empty()) lines.push_back(line().add(view_.trouble, 0, red).text());
    if (const auto waiting = waiting_reload(view_.status); !waiting.empty())
      lines.push_back(line().add(waiting, 0, yellow).text());
    for (const auto& [name, program] : part(view_.status, "programs").items())
      if (const auto trouble = program_trouble(name, program); !trouble.empty())
        lines.push_back(line().add(trouble, 0, yellow).text());
    return lines;
  }

  std::vector<std::string> body() const {
    std::vector<std::string> lines;
    const auto& routers = list(view_.status, "routers");
    if (!routers.empty()) {
      lines.push_back(line()
                          .add("VIRTUAL ROUTER", 16)
                          .add("STATE", 11)
                          .add("FOR", 12)
                          .add("PRIO", 5)
                          .add("ON", 13)
                          .add("PEER (PRIO), HEARD")
                          .text());
      for (const auto& router : routers) add_router(lines, router);
    } else if (view_.status.is_object()) {
      lines.push_back(line().add("no virtual routers are configured").text());
    }
    const auto& checks = list(view_.status, "checks");
    if (checks.empty()) return lines;
    lines.emplace_back();
    lines.push_back(line()
                        .add("CHECK", 16)
                        .add("STATE", 8)
                        .add("FOR", 12)
                        .add("LATENCY", 10)
                        .add("LAST RESULTS", spark_width + 1)
                        .add("DETAIL")
                        .text());
    for (const auto& check : checks) lines.push_back(check_line(check));
    return lines;
  }

  std::string event_line(const json& event) const {
    const auto time = text(event, "time");
    auto one = line();
    one.add(time.size() >= 19 ? time.substr(11, 8) : time, 9);
    one.add(text(event, "severity"), 2, severity_colour(text(event, "severity"))).gap();
    const auto router = text(event, "router");
    return one.add((router.empty() ? "" : router + ": ") + text(event, "text")).text();
  }

  std::string heading(std::string_view text) const { return line().add(text).text(); }

 private:
  Line line() const { return {size_.columns, style_}; }

  void add_router(std::vector<std::string>& lines, const json& router) const {
    const auto state = text(router, "state");
    const auto where = fmt::format("{} {}{}", text(router, "interface"), whole(router, "vrid"),
                                   text(router, "family") == "IPv6" ? " v6" : "");
    auto one = line();
    one.add(text(router, "name"), 15).gap().add(state, 10, state_colour(state)).gap();
    one.add(age(number(router, "since_s")), 11).gap();
    const auto priority = whole(router, "priority");
    one.add(std::to_string(priority), 4, priority < whole(router, "base_priority") ? yellow : "").gap();
    one.add(where, 12).gap().add(peer(router));
    lines.push_back(one.text());
    for (const auto& remark : remarks(router))
      lines.push_back(line().add("  ").add(remark, 0, yellow).text());
  }

  static std::string peer(const json& router) {
    const auto& peer = part(router, "peer");
    if (peer.is_null()) return "-";
    return fmt::format("{} ({}) {}", text(peer, "address"), whole(peer, "priority"),
                       age(number(peer, "heard_ms_ago") / 1000));
  }

  // What is wrong with this virtual router, or unusual.
  static std::vector<std::string> remarks(const json& router) {
    std::vector<std::string> all;
    const auto state = text(router, "state");
    for (const auto& obstacle : list(router, "obstacles")) all.push_back(text(obstacle));
    if (state == "Initialize" && all.empty()) all.push_back(text(router, "reason"));
    if (truth(router, "yielded"))
      all.push_back("switched to the peer: vipctl switch --back " + text(router, "name"));
    const auto& addresses = list(router, "addresses");
    const auto here = static_cast<std::size_t>(std::count_if(
        addresses.begin(), addresses.end(), [](const json& each) { return truth(each, "present"); }));
    if (state == "Active" && here < addresses.size())
      all.push_back(
          fmt::format("{} of {} addresses are missing here", addresses.size() - here, addresses.size()));
    if (state != "Active" && here > 0 && !truth(router, "releasing"))
      all.push_back(here == 1 ? "1 address is here" : fmt::format("{} addresses are here", here));
    if (const auto& conflict = part(router, "conflict"); !conflict.is_null())
      all.push_back(fmt::format("{} claims {}",
                                part(conflict, "mac").is_null() ? "another host" : text(conflict, "mac"),
                                text(conflict, "address")));
    if (const auto& deaf = part(router, "deaf_peer"); !deaf.is_null())
      all.push_back(text(deaf) + " is Active too and does not hear this node");
    return all;
  }

  std::string check_line(const json& check) const {
    const auto name = text(check, "name");
    const auto state = text(check, "state");
    auto one = line();
    one.add(name, 15).gap().add(state, 7, check_colour(state)).gap();
    one.add(part(check, "since_s").is_null() ? "-" : age(number(check, "since_s")), 11).gap();
    one.add(part(check, "last_result_s_ago").is_null()
                ? "-"
                : fmt::format("{:.1f} ms", number(check, "latency_ms")),
            9)
        .gap();
    const auto known = view_.history.find(name);
    static const std::deque<double> nothing;
    add_spark(one, known == view_.history.end() ? nothing : known->second.latencies(), style_).gap();
    return one.add(text(check, "detail")).text();
  }

  const View& view_;
  Size size_;
  Style style_;
};
}  // namespace

void CheckHistory::add(const json& check) {
  const auto runs = whole(check, "runs");
  const auto failures = whole(check, "failures");
  if (runs == runs_) return;
  const bool began_anew = runs < runs_;  // the program was restarted
  latencies_.push_back(failures > (began_anew ? 0 : failures_) ? failed : number(check, "latency_ms"));
  if (latencies_.size() > longest) latencies_.pop_front();
  runs_ = runs;
  failures_ = failures;
}

void update(View& view, json status) {
  view.status = std::move(status);
  std::map<std::string, CheckHistory> history;
  for (const auto& check : list(view.status, "checks")) {
    auto& one = history[text(check, "name")] = std::move(view.history[text(check, "name")]);
    one.add(check);
  }
  view.history = std::move(history);
}

std::vector<std::string> draw(View& view, Size size, Style style) {
  const Drawing drawing(view, size, style);
  while (view.events.size() > most_events) view.events.pop_front();
  std::vector<std::string> lines{drawing.title()};
  for (auto& alarm : drawing.alarms()) lines.push_back(std::move(alarm));
  if (size.rows < fewest_rows) {
    lines.resize(std::min(lines.size(), size.rows));
    return lines;
  }
  lines.resize(std::min(lines.size(), size.rows - 3));
  lines.emplace_back();

  // Events get the rows that the rest leaves, but at least a third; a heading if two events still fit below
  // it.
  const auto body = drawing.body();
  const auto room = size.rows - lines.size() - 1;  // the last line shows the keys
  const auto left = room - std::min(room, body.size());
  const auto most = std::max(room / 3, left);
  const std::size_t headed = most > 3 ? 2 : 0;
  const auto for_events = view.events.empty() ? 0 : std::min(view.events.size() + headed, most);
  const auto for_body = room - for_events;
  view.scrolled = std::min(view.scrolled, body.size() - std::min(body.size(), for_body));
  const auto end = std::min(body.size(), view.scrolled + for_body);
  for (auto i = view.scrolled; i < end; ++i) lines.push_back(body[i]);
  if (for_events > 0 && headed > 0) {
    lines.emplace_back();
    lines.push_back(drawing.heading("EVENTS (UTC)"));
  }
  for (auto i = view.events.size() + headed - for_events; for_events > 0 && i < view.events.size(); ++i)
    lines.push_back(drawing.event_line(view.events[i]));
  lines.resize(size.rows - 1);
  const bool scrolls = body.size() > for_body;
  lines.push_back(drawing.heading(scrolls ? fmt::format("q quits, up and down scroll: lines {} to {} of {}",
                                                        view.scrolled + 1, end, body.size())
                                          : "q quits"));
  return lines;
}

}  // namespace vipd::ctl
