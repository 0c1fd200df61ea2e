// Lan: the hosts and what is between them, in true time: messages that are lost, doubled, late, out of order,
// or do not reach every host; and a client beside each host, which remembers the host that last announced an
// address.
//
// The one loop of the simulation: the next thing that happens, whatever it is, and then the Judge looks.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/scenarios/timeline.h"
#include "tests/sim/host.h"
#include "tests/sim/judge.h"

namespace vipd::sim {

struct Weather {
  int lost = 0;                    // permille of messages
  int doubled = 0;                 // permille
  int late = 0;                    // permille
  Duration longest{};              // how late at most
  std::optional<Family> filtered;  // does not get through at all
  int storm = 0;                   // so many copies of each message, to its sender too: a loop in a switch
  bool clear() const { return lost == 0 && doubled == 0 && late == 0 && storm == 0; }
};

class Lan {
 public:
  Lan(const Setup& setup, Random random, bool recording);

  // --- what it is ---
  Moment now() const { return now_; }
  const Setup& setup() const { return setup_; }
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }
  Judge& judge() { return judge_; }
  const Judge& judge() const { return judge_; }
  Random& random() { return random_; }
  bool passes(const Host& from, const Host& to) const { return passes_[from.index()][to.index()]; }
  const Weather& weather() const { return weather_; }
  Moment last_arrival() const { return last_arrival_; }  // of what is under way
  std::uint64_t messages() const { return messages_; }

  // --- what happens ---
  void run_until(Moment when);  // or until a sentence is broken
  void run_for(Duration duration) { run_until(now_ + duration); }
  void set_weather(const Weather& weather);
  void set_passage(std::size_t from, std::size_t to, bool passes) { passes_[from][to] = passes; }
  void passage_changed();
  void at(Moment when, std::function<void()> what);  // a plan of a fault; forget_plans() when all is healed
  void forget_plans();

  // --- for the hosts ---
  void transmit(const Host& from, const IpAddress& source, std::vector<std::uint8_t> message);
  void announce(const Host& from, std::size_t group, const IpAddress& address);
  void announce_as_stranger(std::size_t group, std::size_t address);
  void forge(const IpAddress& source, const std::vector<std::uint8_t>& message);
  void notify(Host& host, Duration after);  // its kernel has news
  void tell_checks(Host& host, Duration after);
  void deliver(Host& host, Duration after, std::shared_ptr<const vrrp::Input> event);

  Neighbor& neighbor(std::size_t where, std::size_t group, std::size_t address) {
    return neighbors_[(where * setup_.groups.size() + group) * most_addresses + address];
  }

  // --- the timeline ---
  bool recording() const { return recording_; }
  void say(const std::string& who, const std::string& what);
  void add(const std::string& who, const std::string& what);
  std::string timeline() const { return timeline_.text(); }

 private:
  static constexpr std::size_t most_addresses = 4;
  enum class Kind : std::uint8_t { event, kernel, monitor, announcement, late_announcement };
  // A gratuitous ARP, or an unsolicited NA.
  struct Announcement {
    std::size_t from;  // or stranger
    std::size_t group;
    std::size_t address;
    Moment sent;
    std::shared_ptr<const vrrp::Input> claim;  // that it is, to the other hosts
  };
  struct Arrival {
    Moment when;
    std::uint64_t order;
    std::uint8_t to;
    Kind kind;
    std::shared_ptr<const vrrp::Input> event;
    std::shared_ptr<const Announcement> announcement;
    bool operator<(const Arrival& other) const {  // the standard's heaps have the largest on top
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };
  struct Plan {
    Moment when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Plan& other) const {
      return std::tie(other.when, other.order) < std::tie(when, order);
    }
  };
  void push(Moment when, const Host& to, Kind kind, std::shared_ptr<const vrrp::Input> event,
            std::shared_ptr<const Announcement> announcement = nullptr);
  void announce_to(const Host& to, const std::shared_ptr<const Announcement>& announcement);
  void announcement_arrives(Host& to, const Announcement& announcement, bool late);
  void send_copy(const Host& from, const Host& to, const std::shared_ptr<const vrrp::Input>& message);
  void next_arrival();
  static TimePoint for_timeline(Moment moment) { return TimePoint{moment.time_since_epoch()}; }

  Setup setup_;
  Random random_;
  bool recording_;
  scenarios::Timeline timeline_{TimePoint{}};
  Moment now_{};
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Arrival> arrivals_;
  std::vector<Plan> plans_;
  std::uint64_t order_ = 0;
  Moment last_arrival_{};
  Weather weather_;
  bool passes_[most_hosts][most_hosts];
  Moment last_copy_[most_hosts][most_hosts]{};            // what is not late stays in order
  Moment last_announcement_[stranger + 1][most_hosts]{};  // ... of its kind: they have sockets of their own
  std::vector<Neighbor> neighbors_;
  std::uint64_t messages_ = 0;
  Judge judge_;
};

}  // namespace vipd::sim
