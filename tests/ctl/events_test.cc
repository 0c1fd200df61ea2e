#include "ctl/events.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "events/journal_files.h"
#include "events/line.h"
#include "tests/checks/scratch.h"
#include "tests/ctl/fake_vipd.h"
#include "vrrp/event_names.h"

using namespace vipd;
using namespace std::chrono_literals;
using testing::Scratch;

namespace {
const auto noon = events::parse_rfc3339("2026-11-21T12:00:00Z").value();

events::Event event(const std::string& id, events::WallTime time, bool grave = false) {
  auto made = events::make_event(vrrp::events::state_changed, "Backup -> Active", !grave);
  made.id = id;
  made.time = time;
  made.router = grave ? "office" : "edge";
  made.virtual_router = "VRID 51 on eth0 (IPv4)";
  return made;
}

struct Shown {
  std::string out;
  std::string err;
  std::string error;
  int code = 0;
};

Shown show(ctl::EventsOptions options) {
  std::ostringstream out;
  std::ostringstream err;
  const auto result = ctl::show_events(options, out, err);
  return {out.str(), err.str(), result ? "" : result.error().message, result ? 0 : result.error().code};
}

// A journal, and no vipd.
class Journal {
 public:
  Journal() {
    events::JournalFiles files(directory(), {});
    for (const auto& each : {event("1", noon), event("2", noon + 1h, true), event("3", noon + 2h)})
      REQUIRE(files.append(std::vector{events::to_line(each)}, noon));
  }
  std::string directory() const { return scratch_.path() + "/events"; }
  ctl::EventsOptions options() const {
    ctl::EventsOptions options;
    options.run_dir = scratch_.path();
    options.directory = directory();
    return options;
  }

 private:
  Scratch scratch_;
};
}  // namespace

TEST_CASE("without a running vipd the journal is read") {
  const Journal journal;
  const auto shown = show(journal.options());
  CHECK(shown.code == 0);
  CHECK(shown.err.empty());
  CHECK(shown.out ==
        "2026-11-21T12:00:00.000Z P2 state_changed edge, VRID 51 on eth0 (IPv4): Backup -> Active\n"
        "2026-11-21T13:00:00.000Z P1 state_changed office, VRID 51 on eth0 (IPv4): Backup -> Active\n"
        "2026-11-21T14:00:00.000Z P2 state_changed edge, VRID 51 on eth0 (IPv4): Backup -> Active\n");
}

TEST_CASE("events are chosen by time, severity, virtual router and number, and are JSON on request") {
  const Journal journal;
  const auto count = [&](auto change) {
    auto options = journal.options();
    change(options);
    const auto out = show(options).out;
    return std::count(out.begin(), out.end(), '\n');
  };
  CHECK(count([](auto& options) { options.since = "2026-11-21T12:30:00Z"; }) == 2);
  CHECK(count([](auto& options) { options.until = "2026-11-21T12:30:00Z"; }) == 1);
  CHECK(count([](auto& options) { options.severity = "P1"; }) == 1);
  CHECK(count([](auto& options) { options.severity = "P2"; }) == 3);
  CHECK(count([](auto& options) { options.router = "edge"; }) == 2);
  CHECK(count([](auto& options) { options.lines = "2"; }) == 2);
  CHECK(count([](auto& options) { options.lines = "all"; }) == 3);
  auto options = journal.options();
  options.as_json = true;
  options.lines = "1";
  CHECK(show(options).out == events::to_line(event("3", noon + 2h)) + "\n");
}

TEST_CASE("no matching events: a message, and no error") {
  const Journal journal;
  auto options = journal.options();
  options.router = "nope";
  const auto shown = show(options);
  CHECK(shown.code == 0);
  CHECK(shown.out.empty());
  CHECK(shown.err == "vipctl: no matching events\n");
}

TEST_CASE("an invalid option is an error that names the valid values") {
  const Journal journal;
  const auto refused = [&](auto change) {
    auto options = journal.options();
    change(options);
    const auto shown = show(options);
    CHECK(shown.code == EINVAL);
    return shown.error;
  };
  CHECK(refused([](auto& options) { options.severity = "bad"; }) ==
        "--severity is \"bad\", it must be P0, P1 or P2");
  CHECK(refused([](auto& options) { options.lines = "-1"; }) ==
        "--lines is \"-1\", it must be a number or all");
  CHECK(refused([](auto& options) {
          options.since = "soon";
        }).starts_with("--since: \"soon\" is not a time: write 5m"));
  CHECK(
      refused([](auto& options) { options.until = "soon"; }).starts_with("--until: \"soon\" is not a time"));
}

TEST_CASE("neither vipd nor a journal: the error names both places and the options for others") {
  const Scratch scratch;
  ctl::EventsOptions options;
  options.run_dir = scratch.path();
  options.directory = scratch.path() + "/none";
  const auto shown = show(options);
  CHECK(shown.code == ENOENT);
  CHECK(shown.error == "cannot connect to vipd at " + scratch.path() +
                           "/control: No such file or directory (is vipd running? is its --run-dir another "
                           "one?); and there is no journal in " +
                           options.directory + ": set --directory");
}

TEST_CASE("the text of an event cannot control the terminal") {
  auto evil = event("1", noon);
  evil.text = "\033[2Jgone\n";
  CHECK(ctl::event_line(evil, false).find('\033') == std::string::npos);
  CHECK(ctl::event_line(event("1", noon, true), true).find("\033[33mP1") != std::string::npos);
}

TEST_CASE("the events that vipd remembers are merged with those on disk, each once") {
  const Journal journal;
  auto recent = nlohmann::json::array();
  for (const auto& each :
       {event("0", noon - 1h), event("2", noon + 1h, true), event("5", noon + 90min), event("6", noon + 3h)})
    recent.push_back(nlohmann::json(events::to_json(each)));
  const testing::FakeVipd vipd([&](const std::string&) {
    return nlohmann::json{{"ok", true}, {"result", {{"directory", journal.directory()}, {"recent", recent}}}}
               .dump() +
           "\n";
  });
  ctl::EventsOptions options;
  options.run_dir = vipd.run_dir();
  const auto shown = show(options);
  std::vector<std::string> times;
  std::istringstream lines(shown.out);
  for (std::string line; std::getline(lines, line);) times.push_back(line.substr(11, 5));
  CHECK(times == std::vector<std::string>{"11:00", "12:00", "13:00", "13:30", "14:00", "15:00"});
}

TEST_CASE(
    "a journal other than that of the running vipd is read, not merged with it, and cannot be followed") {
  const Journal journal;
  const auto theirs = event("9", noon + 3h);
  nlohmann::json its_directory = "/var/lib/vipd/elsewhere";
  const testing::FakeVipd vipd([&](const std::string&) {
    return nlohmann::json{
               {"ok", true},
               {"result",
                {{"directory", its_directory}, {"recent", nlohmann::json::array({events::to_json(theirs)})}}}}
               .dump() +
           "\n";
  });
  auto options = journal.options();
  options.run_dir = vipd.run_dir();
  const auto shown = show(options);
  CHECK(shown.code == 0);
  CHECK(shown.out.find("12:00:00") != std::string::npos);
  CHECK_MESSAGE(shown.out.find("15:00:00") == std::string::npos, "it is not of this journal");

  options.follow = true;
  const auto followed = show(options);
  CHECK(followed.out.empty());
  CHECK(followed.error ==
        "--follow shows events of the running vipd, which writes them to /var/lib/vipd/elsewhere, not to " +
            journal.directory() + ": omit --directory or --follow");

  its_directory = nullptr;
  CHECK(show(options).error.find("writes them to no directory, not to " + journal.directory()) !=
        std::string::npos);

  options.directory.clear();
  options.follow = false;
  CHECK(show(options).out.find("15:00:00") != std::string::npos);
}
