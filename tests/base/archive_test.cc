#include "base/archive.h"

#include <doctest/doctest.h>

#include "base/time.h"

using namespace vipd;

namespace {
struct Thing {
  std::string name;
  std::vector<std::optional<int>> numbers;
  std::map<std::string, IpAddress> addresses;
  std::variant<int, std::string> either;
  bool operator==(const Thing&) const = default;
};
template <class A>
constexpr void fields(A& a, Is<Thing> auto& t) {
  a("name", t.name)("numbers", t.numbers)("addresses", t.addresses)("either", t.either);
}
enum class Colour : std::uint8_t { red, green };
constexpr bool known(Colour colour) {
  return colour <= Colour::green;
}
struct Even {
  int number = 0;
};
template <class A>
constexpr void fields(A& a, Is<Even> auto& e) {
  a("number", e.number);
}
bool valid(const Even& even) {
  return even.number % 2 == 0;
}
struct Tree {
  std::vector<Tree> branches;
};
template <class A>
constexpr void fields(A& a, Is<Tree> auto& t) {
  a("branches", t.branches);
}
// Thing in a later release: one field has gone, others have come, between and after.
struct LaterThing {
  std::vector<std::optional<int>> numbers;
  std::string colour = "red";
  std::variant<int, std::string, bool> either;
  int size = 7;
  std::string name;
};
template <class A>
constexpr void fields(A& a, Is<LaterThing> auto& t) {
  a("numbers", t.numbers).later("colour", t.colour)("either", t.either).later("size", t.size)("name", t.name);
}
struct Counts {
  std::array<int, 2> counts{};
};
template <class A>
constexpr void fields(A& a, Is<Counts> auto& c) {
  a("counts", c.counts);
}
struct MoreCounts {
  std::array<int, 3> counts{};
};
template <class A>
constexpr void fields(A& a, Is<MoreCounts> auto& c) {
  a("counts", c.counts);
}
struct Collision {  // two names with one tag
  int first = 0, second = 0;
};
template <class A>
constexpr void fields(A& a, Is<Collision> auto& c) {
  a("red_new_first", c.first)("red_old_new", c.second);
}
const Thing sample{"edge", {1, std::nullopt, 3}, {{"a", IpAddress::parse("2001:db8::1").value()}}, "text"};
}  // namespace

TEST_CASE("values survive the conversion to bytes and back") {
  CHECK(from_bytes<Thing>(to_bytes(sample)).value() == sample);
}

TEST_CASE("a later release reads what it knows of an earlier one's struct, and the reverse") {
  const auto later = from_bytes<LaterThing>(to_bytes(sample)).value();
  CHECK(later.name == "edge");
  CHECK(later.numbers == sample.numbers);
  CHECK(std::get<std::string>(later.either) == "text");
  CHECK(later.colour == "red");
  CHECK(later.size == 7);
  const auto earlier = from_bytes<Thing>(to_bytes(LaterThing{{4}, "blue", "x", 8, "core"})).value();
  CHECK(earlier == Thing{"core", {4}, {}, "x"});
}

TEST_CASE("an array of counters that has grown keeps those that both releases have") {
  CHECK(from_bytes<MoreCounts>(to_bytes(Counts{{1, 2}})).value().counts == std::array{1, 2, 0});
  CHECK(from_bytes<Counts>(to_bytes(MoreCounts{{1, 2, 3}})).value().counts == std::array{1, 2});
}

TEST_CASE("release 0.1's format has no tags and no later fields") {
  constexpr auto format = ArchiveFormat::release_0_1;
  CHECK(to_bytes(Counts{{1, 2}}, format) == std::vector<std::uint8_t>{1, 0, 0, 0, 2, 0, 0, 0});
  const LaterThing thing{{}, "blue", 5, 8, "x"};
  CHECK(to_bytes(thing, format) == std::vector<std::uint8_t>{0, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 0, 'x'});
  const auto back = from_bytes<LaterThing>(to_bytes(thing, format), format).value();
  CHECK(back.colour == "red");
  CHECK(back.name == "x");
}

TEST_CASE("two names with the same tag are found at compile time") {
  static_assert(tags_differ<Thing>());
  static_assert(!tags_differ<Collision>());
}

TEST_CASE("a message that is truncated or has extra bytes is rejected") {
  auto bytes = to_bytes(sample);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(from_bytes<Thing>(std::span(bytes).first(size)));
  bytes.push_back(0);
  CHECK_FALSE(from_bytes<Thing>(bytes));
}

TEST_CASE("a length that exceeds the message is rejected without reserving memory") {
  CHECK_FALSE(from_bytes<std::string>(std::vector<std::uint8_t>{0xff, 0xff, 0xff, 0xff, 'x'}));
  CHECK_FALSE(from_bytes<std::vector<int>>(std::vector<std::uint8_t>{0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4}));
}

TEST_CASE("an enumeration has one of its values, and a struct is valid") {
  CHECK(from_bytes<Colour>(to_bytes(std::uint8_t{1})) == Colour::green);
  CHECK_FALSE(from_bytes<Colour>(to_bytes(std::uint8_t{2})));
  CHECK(from_bytes<Even>(to_bytes(Even{4})));
  CHECK_FALSE(from_bytes<Even>(to_bytes(Even{5})));
  CHECK(from_bytes<Prefix>(to_bytes(Prefix::parse("192.0.2.0/32").value())));
  CHECK_FALSE(from_bytes<Prefix>(to_bytes(Prefix{IpAddress{}, 33})));
  auto address = IpAddress::parse("2001:db8::1").value();
  address.family = Family::ipv4;
  CHECK_FALSE(from_bytes<IpAddress>(to_bytes(address)));
}

TEST_CASE("times are bounded so that sums of them do not overflow") {
  using namespace std::chrono_literals;
  CHECK(from_bytes<TimePoint>(to_bytes(never)) == never);
  CHECK(from_bytes<TimePoint>(to_bytes(TimePoint{1s})) == TimePoint{1s});
  CHECK_FALSE(from_bytes<TimePoint>(to_bytes(never - Duration{1})));
  CHECK_FALSE(from_bytes<TimePoint>(to_bytes(TimePoint::min())));
  CHECK(from_bytes<Duration>(to_bytes(Duration{24h * 366})) == Duration{24h * 366});
  CHECK_FALSE(from_bytes<Duration>(to_bytes(Duration{24h * 366 + 1ns})));
  CHECK_FALSE(from_bytes<Duration>(to_bytes(Duration::min())));
  CHECK_FALSE(from_bytes<Centiseconds>(to_bytes(Centiseconds::max())));
}

TEST_CASE("endless nesting is rejected before it exhausts the stack") {
  const auto deep = [](std::size_t levels) {
    Tree tree;
    for (std::size_t i = 0; i < levels; ++i) {
      Tree above;
      above.branches.push_back(std::move(tree));
      tree = std::move(above);
    }
    return to_bytes(tree);
  };
  CHECK(from_bytes<Tree>(deep(20)));
  CHECK_FALSE(from_bytes<Tree>(deep(100)));
  std::vector<std::uint8_t> endless;  // one branch that contains one branch, ...
  for (int i = 0; i < 1'000'000; ++i) endless.insert(endless.end(), {1, 0, 0, 0});
  CHECK_FALSE(from_bytes<Tree>(endless, ArchiveFormat::release_0_1));
}
