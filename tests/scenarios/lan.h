// Lan: nodes on one virtual link in virtual time. A node is a host with a kernel (interface, addresses with
// lifetimes) and a router program: vipd (vrrp::Engine), or a plain one of another make. The timeline gets all
// that happens. The Lan measures which node holds each address, and for how long no node or two nodes do.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "record/recording.h"
#include "tests/scenarios/plain_router.h"
#include "tests/scenarios/timeline.h"
#include "vrrp/engine.h"

namespace vipd::scenarios {

struct Show {
  bool adverts = false;        // also the regular ones
  bool announcements = false;  // also the repeated rounds
  bool renewals = false;
  bool discards = false;   // also those seen before
  bool checksums = false;  // the form of each advertisement's checksum
};

class Lan {
 public:
  // --- the nodes ---
  struct Node {
    std::string name;
    Interface link;
    std::map<std::string, std::vector<vrrp::VirtualRouterConfig>> entries;  // by name
    std::map<std::string, std::optional<vrrp::CheckFact>> checks;           // none: no result yet
    bool plain = false;

    std::unique_ptr<vrrp::Engine> engine;
    record::Recording told;        // the inputs of the engine since it started
    std::vector<std::string> did;  // ... and did
    std::vector<std::unique_ptr<PlainRouter>> plain_routers;
    std::optional<vrrp::Snapshot> left_behind;
    bool stopping = false;

    bool cut = false;   // its cable: nothing passes, the carrier stays
    bool mute = false;  // its VRRP messages are lost on the way, everything else passes
    bool deaf = false;  // it receives no VRRP message, everything else passes
    int lose = 0;       // as many of its next messages are lost
    TimePoint asleep_until = TimePoint::min();
    bool suspended = false;  // asleep with its kernel: what is sent to it is lost
    std::deque<vrrp::Input> waiting;
    std::map<Prefix, TimePoint> expires;
    std::set<Prefix> refused;

    bool alive() const { return engine || !plain_routers.empty(); }
    bool has(const Prefix& prefix) const;
  };
  Node& node(const std::string& name);  // made if there is none yet
  bool has_node(const std::string& name) const { return nodes_.contains(name); }
  std::vector<std::string> names() const;

  // --- what can be done ---
  void run_until(TimePoint when);
  void start(Node& node, bool adopt = false);
  void stop(Node& node);
  void kill(Node& node);
  void sleep(Node& node, Duration duration, bool suspended);
  void reload(Node& node);
  void check(Node& node, const std::string& name);  // tell what node.checks has
  void link_changed(Node& node);
  void event(Node& node, vrrp::Input event);
  void plain_priority(Node& node, vrrp::Priority priority);
  void remove_address(Node& node, const Prefix& prefix);
  void add_address(Node& node, const Prefix& prefix);
  // From nowhere, to one node, or to all if `to` is empty.
  void send(const std::string& to, const IpAddress& source, int hop_limit, std::vector<std::uint8_t> message);
  // A station that is no node claims the address, and answers requests for it.
  void rogue(const IpAddress& address, const MacAddress& mac);
  void status(const std::string& name);
  void explain(const std::string& name);
  void summary();
  void measure();  // after something was done to a node by hand

  TimePoint now() const { return now_; }
  TimePoint start_time() const { return start_; }
  Timeline& timeline() { return timeline_; }
  Show show;
  std::optional<Family> filtered;  // the link loses VRRP messages of this family
  Duration latency = std::chrono::microseconds(100);

 private:
  struct Delivery {
    TimePoint when;
    std::uint64_t order;
    std::string to;
    vrrp::Input event;
    bool operator>(const Delivery& other) const {
      return std::tie(when, order) > std::tie(other.when, other.order);
    }
  };
  struct LastAdvert {
    vrrp::Priority priority;
    TimePoint when;
  };
  struct Held {
    bool ever = false;
    TimePoint since{};
    int holders = 0;
    Duration nobody{};
    Duration two{};
  };

  void deliver(TimePoint when, const std::string& to, vrrp::Input event);
  void take(Node& node, const vrrp::Input& event);
  void step(Node& node, const vrrp::Input& event);
  void perform(Node& node, const vrrp::Actions& actions);
  void replay(Node& node);
  void claim(const Node& from, const IpAddress& address);
  void probe(const Node& from, const IpAddress& address);
  void transmit(const Node& from, const IpAddress& source, const std::vector<std::uint8_t>& message);
  void start_plain(Node& node);
  void write(Node& node, const vrrp::Actions& actions);
  bool regular(const Node& node, const vrrp::SendAdvertisement& advert);
  bool tick(Node& node);
  void expire(Node& node);
  void wake(Node& node);
  std::set<IpAddress> virtual_addresses() const;
  bool reachable(const Node& node) const;
  std::string sum(const IpAddress& source, const std::vector<std::uint8_t>& message) const;
  std::string label(const Node& node, const std::string& entry, const vrrp::RouterKey& key) const;

  TimePoint start_{std::chrono::seconds(1000)};
  TimePoint now_ = start_;
  Timeline timeline_{start_};
  std::map<std::string, Node> nodes_;
  std::map<IpAddress, MacAddress> rogues_;
  std::priority_queue<Delivery, std::vector<Delivery>, std::greater<>> deliveries_;
  std::uint64_t order_ = 0;
  std::map<std::pair<std::string, vrrp::RouterKey>, LastAdvert> last_adverts_;
  std::map<IpAddress, Held> held_;
  std::set<std::tuple<std::string, IpAddress, vrrp::DecodeError>> discards_told_;
};

}  // namespace vipd::scenarios
