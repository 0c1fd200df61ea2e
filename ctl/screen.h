// Screen: what `vipctl watch` shows, as lines of text. Pure: what is known goes in, lines that fit the
// terminal come out, so that it can be tested without one. Who owns the terminal and asks vipd is ctl/watch.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vipd::ctl {

// The last results of a check, as seen by looking once a second: not every one of a check that runs more
// often.
class CheckHistory {
 public:
  static constexpr std::size_t longest = 60;
  static constexpr double failed = -1;

  // check: an element of "checks" of a status. Without a new result nothing is added.
  void add(const nlohmann::json& check);
  const std::deque<double>& latencies() const { return latencies_; }  // ms, or `failed`; the latest last

 private:
  std::deque<double> latencies_;
  std::int64_t runs_ = 0;
  std::int64_t failures_ = 0;
};

struct View {
  nlohmann::json status;                        // as vipd has answered last, or null
  std::map<std::string, CheckHistory> history;  // by the name of the check
  std::deque<nlohmann::json> events;            // the latest last
  std::string trouble;                          // why nothing is known at present, or empty
  std::string node;                             // name of this host
  std::string time;                             // of the wall clock, as it is to be shown
  std::size_t scrolled = 0;                     // by how many lines
};

struct Size {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

struct Style {
  bool colours = true;
  bool unicode = true;  // else ASCII only
};

// Takes the status, and what it says of the checks.
void update(View& view, nlohmann::json status);

// Lines of at most `columns` characters, `rows` of them at most. view.scrolled is brought into its bounds.
std::vector<std::string> draw(View& view, Size size, Style style);

}  // namespace vipd::ctl
