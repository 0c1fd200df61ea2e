// Screen: the page of `vipctl watch` as lines of text. Pure: a View goes in, lines that fit the terminal come
// out, so that it can be tested without a terminal. ctl/watch owns the terminal and asks vipd.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vipd::ctl {

// The last results of a check, sampled once a second: it misses results of a check that runs more often.
class CheckHistory {
 public:
  static constexpr std::size_t longest = 60;
  static constexpr double failed = -1;

  // check: an element of "checks" of a status. Adds nothing if there is no new result.
  void add(const nlohmann::json& check);
  const std::deque<double>& latencies() const { return latencies_; }  // ms, or `failed`; the latest last

 private:
  std::deque<double> latencies_;
  std::int64_t runs_ = 0;
  std::int64_t failures_ = 0;
};

struct View {
  nlohmann::json status;                        // the last answer of vipd, or null
  std::map<std::string, CheckHistory> history;  // by the name of the check
  std::deque<nlohmann::json> events;            // the latest last
  std::string trouble;                          // why the status is unknown at present, or empty
  std::string node;                             // name of this host
  std::string time;                             // wall-clock time to show
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

// Takes a new status, and the results of checks in it.
void update(View& view, nlohmann::json status);

// Lines of at most `columns` characters, `rows` of them at most. Limits view.scrolled to what can be shown.
std::vector<std::string> draw(View& view, Size size, Style style);

}  // namespace vipd::ctl
