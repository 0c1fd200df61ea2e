#include "ctl/watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "ctl/answer.h"
#include "ctl/client.h"
#include "ctl/screen.h"
#include "ctl/terminal.h"

namespace vipd::ctl {

namespace {
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr auto interval = 1s;        // between two requests for the status
constexpr int answer_bound = 3'000;  // milliseconds
constexpr std::size_t page = 10;     // lines

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? printable(name.data()) : "?";
}

std::string time_of_day() {
  const auto now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:02}:{:02}:{:02} UTC", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

// One connection for requests and one for events, so that neither waits for the other.
struct Connection {
  Client questions;
  Client events;

  static Result<Connection> make(const std::string& run_dir, View& view) {
    Connection connection{TRY(Client::connect(run_dir)), TRY(Client::connect(run_dir))};
    const auto known =
        TRY(connection.events.request({{"v", 1}, {"command", "events"}, {"follow", true}}, answer_bound));
    const auto& recent = list(known, "recent");
    view.events.assign(recent.begin(), recent.end());
    return connection;
  }

  Result<> read_events(View& view) {
    while (true) {
      auto event = TRY(events.next_event(0));
      if (event.is_null()) return {};
      view.events.push_back(std::move(event));
    }
  }
};

class Watch {
 public:
  Watch(std::string run_dir, bool colours, Connection connection, View view)
      : run_dir_(std::move(run_dir)),
        style_{colours, Terminal::has_unicode()},
        connection_(std::move(connection)),
        view_(std::move(view)) {}

  Result<> run(Terminal& terminal) {
    while (true) {
      look();
      view_.time = time_of_day();
      if (!terminal.show(draw(view_, Terminal::size(), style_))) return {};  // the terminal has gone
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_ - Clock::now());
      const auto key = terminal.wait(connection_ ? connection_->events.fd() : -1,
                                     static_cast<int>(std::max(0ms, left).count()));
      if (key == Terminal::Key::quit) return {};
      if (key == Terminal::Key::suspend) terminal.suspend();
      scroll(key);
    }
  }

 private:
  void look() {
    if (connection_ && !connection_->read_events(view_)) connection_.reset();
    if (Clock::now() < next_) return;
    next_ = Clock::now() + interval;
    const auto looked = ask();
    view_.trouble.clear();
    if (looked) return;
    view_.trouble = "retrying: " + printable(looked.error().message);
    view_.status = nullptr;  // it is out of date
  }

  Result<> ask() {
    if (!connection_) connection_.emplace(TRY(Connection::make(run_dir_, view_)));
    auto status = connection_->questions.request({{"v", 1}, {"command", "status"}}, answer_bound);
    if (!status && status.error().code != 0) connection_.reset();
    update(view_, TRY(std::move(status)));
    return {};
  }

  void scroll(Terminal::Key key) {
    if (key == Terminal::Key::down) view_.scrolled += 1;
    if (key == Terminal::Key::page_down) view_.scrolled += page;
    const auto up = key == Terminal::Key::up ? 1 : key == Terminal::Key::page_up ? page : 0;
    view_.scrolled -= std::min(view_.scrolled, up);
  }

  std::string run_dir_;
  Style style_;
  std::optional<Connection> connection_;
  View view_;
  Clock::time_point next_{};
};
}  // namespace

Result<> watch(const std::string& run_dir, bool colours) {
  View view;
  view.node = host_name();
  auto connection = TRY(Connection::make(run_dir, view));
  auto terminal = TRY(Terminal::take());
  return Watch(run_dir, colours, std::move(connection), std::move(view)).run(terminal);
}

}  // namespace vipd::ctl
