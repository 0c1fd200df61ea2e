// Bench: one engine in virtual time, with a kernel that carries out every request.
//
// A test says what happens and reads what the engine answers, one line an action: "advert 100",
// "add 192.0.2.100/24", "Backup -> Active". Also the byte vectors of vectors.json and frames taken apart.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vrrp/engine.h"

namespace vipd::vrrp::test {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;
using Lines = std::vector<std::string>;

IpAddress ip(std::string_view text);
Prefix prefix(std::string_view text);
MacAddress mac(std::string_view text);
Bytes bytes_of_hex(std::string_view hex);
Bytes vector(const std::string& id);  // of vectors.json

// An Ethernet frame taken apart as the kernel does it for a raw socket.
struct Frame {
  MacAddress to;
  MacAddress from;
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;
  int protocol = 0;
  Bytes payload;
};
Frame frame(const Bytes& bytes);
DatagramReceived datagram(const Frame& frame, const std::string& interface = "eth0");

// The common setting of the conformance cases: VRID 51 on eth0, priority 100, interval 100 cs, preempt_mode.
VirtualRouterConfig c4();                // 192.0.2.100
VirtualRouterConfig c6();                // fe80::51, 2001:db8::64
Interface eth0();                        // 192.0.2.1/24 and fe80::1
Interface eth0(std::string_view first);  // this address in place of that of its family

// A message of a peer, well formed: what the codec makes of these fields.
struct Message {
  int priority = 100;
  std::string source = "192.0.2.2";
  Centiseconds interval{100};
  std::vector<std::string> addresses;  // empty: those of c4() or c6()
  Vrid vrid = 51;
  ChecksumForm checksum = ChecksumForm::rfc9568;
};
DatagramReceived message(const Message& message);

std::string describe(const Action& action);
Lines describe(const Actions& actions);  // without who is heard and who fell silent: those are in Bench::log

class Bench {
 public:
  explicit Bench(Interface interface = eth0());
  // Started with these virtual routers; Backup, or Active if they own their addresses.
  explicit Bench(std::vector<VirtualRouterConfig> routers, Interface interface = eth0());

  Lines step(const Input& event);
  Lines wait(Duration duration);        // firing what falls due, in time
  Lines wake_after(Duration duration);  // one Tick, however late
  Lines configure(std::vector<VirtualRouterConfig> routers, std::optional<Snapshot> adopted = std::nullopt);
  Lines interface(const Interface& interface);
  Lines hear(const Message& message) { return step(test::message(message)); }
  Lines hear(const char* vector_id, std::string_view source = "192.0.2.2");
  Lines check(const std::string& name, bool healthy);
  Lines remove_by_hand(std::string_view address);  // a prefix
  Lines add_by_hand(std::string_view address);

  RouterStatus status(Family family = Family::ipv4) const;
  StateName state(Family family = Family::ipv4) const { return status(family).state; }
  Counters counters(Family family = Family::ipv4) const { return status(family).counters; }
  Duration timer(Family family = Family::ipv4) const;  // what is left of Adver_Timer or Active_Down_Timer
  std::uint64_t counted() const;                       // the sum of all counters
  Bytes fingerprint() const;                           // everything but counters
  bool holds(std::string_view address) const;          // the kernel has it

  Engine engine;
  TimePoint now{1000s};
  Interface link;
  bool kernel_obeys = true;  // adds and removes at once and says so
  std::vector<std::pair<TimePoint, Action>> log;
  std::vector<std::pair<TimePoint, SendAdvertisement>> sent;

 private:
  bool apply(const Action& action);
};

}  // namespace vipd::vrrp::test

namespace doctest {
template <>
struct StringMaker<vipd::vrrp::test::Lines> {
  static String convert(const vipd::vrrp::test::Lines& lines) {
    std::string text;
    for (const auto& line : lines) text += (text.empty() ? "" : " | ") + line;
    return text.c_str();
  }
};
template <class R, class P>
struct StringMaker<std::chrono::duration<R, P>> {
  static String convert(std::chrono::duration<R, P> duration) {
    return vipd::to_string(vipd::Duration(duration)).c_str();
  }
};
template <>
struct StringMaker<vipd::vrrp::StateName> {
  static String convert(vipd::vrrp::StateName state) { return std::string(to_string(state)).c_str(); }
};
}  // namespace doctest
