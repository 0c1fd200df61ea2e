// Judge: the sentences that must hold, and whether they do. It looks at what hosts are and do, never at what
// an engine believes, and it knows the bounds of RFC 9568. README.md has the sentences, the bounds and where
// they come from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/clock.h"
#include "tests/sim/setup.h"
#include "vrrp/status.h"

namespace vipd::sim {

class Host;
class Lan;

// What a fault has touched: after it, nothing is promised for a while.
enum class Fault {
  network,  // messages, or what hosts mean by an interval: no host can know which one is Active
  process,  // a host: the others still hear each other, and the kernel's lease is there for this
};

constexpr std::size_t most_hosts = 8;
constexpr std::size_t stranger = most_hosts + 1;  // a station that is no host

// The host to which a client beside `where` sends packets for an address, and since when.
struct Neighbor {
  std::size_t host = most_hosts;
  Moment sent = long_ago;  // the announcement that it has heard
  Moment when = long_ago;  // ... and when it arrived
  Moment lost = long_ago;  // since then: when an announcement was lost, or arrived late
};

struct Violation {
  std::string sentence;
  std::string what;
  Moment when;
};

class Judge {
 public:
  explicit Judge(Lan& lan) : lan_(lan) {}
  void begin();

  bool broken() const { return violation_.has_value(); }
  const std::optional<Violation>& violation() const { return violation_; }

  // --- told by the play ---
  void fault(Fault kind);
  void planned();                                     // something that operators do on a healthy LAN
  void new_phase();                                   // intervals of long ago do not matter any more
  void intervals_change();                            // settings of hosts have other intervals from now on
  void nobody_moves(bool so) { nobody_moves_ = so; }  // one family is silent, not for long
  // How long from the last fault or plan until everything has its place.
  Duration settling(std::size_t entry) const;
  Duration settling() const;

  // --- told by the Lan and the hosts ---
  void network_changed();
  void host_changed(const Host& host);
  void state_changed(const Host& host, std::size_t group, vrrp::StateName from);
  void advertises(const Host& host, std::size_t group, const std::vector<std::uint8_t>& message);
  void farewell(const Host& host, std::size_t group);
  void says(const Host& host, std::size_t group, vrrp::Priority priority);  // of any make
  void gives_lifetime(const Host& host, std::size_t group, Duration valid);
  void lifetime_ended(const Host& host, const Prefix& prefix);
  void ticks(const Host& host);
  void ticked(const Host& host, std::optional<TimePoint> next, TimePoint local);
  void forged(std::size_t group, Duration interval);
  // A host continues with an interval that its predecessor has learnt, however long ago.
  void remembers(std::size_t group, Duration interval);
  void excuse_gap(std::size_t entry);  // a plain Active leaves: it does not wait for its successor

  void look();             // if something has changed
  void look_at_islands();  // only at who is Active and who answers, in the middle of a turn
  void look_closely();     // also at what should have happened by now

 private:
  using Hosts = std::vector<const Host*>;
  // Hosts that hear each other and no others.
  struct Island {
    Family family;
    Hosts hosts;
    Moment clear_since = not_ever;  // not_ever: they do not hear each other well
  };
  // Since when a condition that must not last has held; not_ever: it does not hold.
  struct Watch {
    Moment nobody_active = not_ever;
    Moment two_active = not_ever;
    Moment nobody_answers = not_ever;
    Moment two_answer = not_ever;
    bool helpless = false;     // one of the two cannot know that it should not answer
    bool replaceable = false;  // ... and others need not wait three intervals to replace it
    bool held = false;         // a guardian answers for its router, and does not listen
  };
  struct Budget {  // of ticks
    double left = 60;
    Moment counted = long_ago;
  };
  struct Said {  // by the last one that advertised
    std::size_t host = 0;
    Moment since = long_ago;
    vrrp::Priority best = 0;  // since another was heard
  };
  struct Recent {  // the last advertisements of one virtual router, in a ring
    std::array<Moment, 16> when{};
    std::size_t next = 0;
  };

  void accuse(const char* sentence, std::string what);
  void find_islands();
  void find_islands(Family family);
  void evaluate(const Island& island, std::size_t group, Watch& watch);
  void look_at_host(const Host& host);
  void look_at_rest(const Island& island, std::size_t group);
  void look_at_families(const Island& island, std::size_t entry);
  void look_at_neighbors(const Island& island, std::size_t group, const Host& active);
  Moment told_by(const Island& island, std::size_t group, const Host& active, const Neighbor& known) const;
  void judge_take_over(const Island& island, std::size_t group, const Host& host);
  void judge_succession(const Island& island, std::size_t group, const Host& host);
  bool settled(const Island& island, std::size_t entry, bool network, bool process, bool plans) const;
  bool repairs_addresses(const Host& host, std::size_t group) const;
  bool same_interval(const Island& island, std::size_t entry) const;
  bool lease_protects(const Island& island, std::size_t entry) const;
  Duration interval(std::size_t entry) const { return longest_[entry]; }
  Duration active_down_bound(std::size_t entry) const;
  const Island& island_of(const Host& host, Family family) const;
  std::string name(std::size_t group) const;
  std::string names(const Hosts& hosts) const;

  Lan& lan_;
  std::optional<Violation> violation_;
  std::vector<Island> islands_;
  std::vector<Watch> watches_;                   // by island and group
  std::vector<Duration> longest_;                // interval of each entry, now or lately
  std::array<std::vector<Duration>, 3> phases_;  // ... in this phase and the ones before
  Moment network_fault_ = long_ago;
  Moment process_fault_ = long_ago;
  Moment plan_ = long_ago;
  std::vector<Moment> farewells_;    // the last one, by group
  std::vector<Said> said_;           // by group
  std::vector<Moment> last_words_;   // of an Active that woke up only to step down, by group
  std::vector<Moment> gap_excused_;  // by entry: until then
  bool nobody_moves_ = false;
  std::uint32_t changed_hosts_ = 0;
  bool changed_ = false;
  std::vector<Budget> budgets_;  // by host
  std::vector<Recent> recent_;   // by host and group
};

}  // namespace vipd::sim
