// Play: what happens in one seed. It begins with hosts that start in any order, and then goes in rounds: wild
// network faults and faults of every kind; all healed, and a calm that is long enough for the group to settle;
// what operators plan; crashes, freezes and flaps on an otherwise healthy LAN; and calm again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/lan.h"

namespace vipd::sim {

constexpr Duration least_time = std::chrono::minutes(10);  // that a seed lasts

class Play {
 public:
  Play(std::uint64_t seed, bool recording);

  void run();

  const std::optional<Violation>& violation() const { return lan_.judge().violation(); }
  const Setup& setup() const { return lan_.setup(); }
  Duration simulated() const { return lan_.now() - Moment{}; }
  std::uint64_t messages() const { return lan_.messages(); }
  std::string timeline() const { return lan_.timeline(); }
  std::string status() const;  // who is what, a line each

 private:
  void begin();
  void heal();
  void calm();
  void wild();
  void crashes();
  void plans();

  void network_fault();
  void process_fault();
  bool plan();

  void new_weather();
  void new_passages();
  void filter();
  bool filter_for_a_while();
  void flap();
  void restart(Host& host, bool whole);
  void change_settings(bool network);
  void change_intervals();
  void change_addresses();
  void change_health();
  void meddle();
  void forge();
  void announce_as_stranger();

  bool done() const { return lan_.judge().broken(); }
  Host& any_host();
  Host* active_host(std::size_t entry);
  std::size_t any_entry() {
    return static_cast<std::size_t>(random_.below(static_cast<int>(setup().entries.size())));
  }
  bool plain_there() const;
  Duration unit() const;  // the longest interval
  Duration units(int least_percent, int most_percent) {
    return random_.between(unit() * least_percent / 100, unit() * most_percent / 100);
  }

  Random random_;
  Lan lan_;
};

}  // namespace vipd::sim
