#include "base/archive.h"

#include <doctest/doctest.h>

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
void fields(A& a, Is<Thing> auto& t) {
  a(t.name, t.numbers, t.addresses, t.either);
}
const Thing sample{"edge", {1, std::nullopt, 3}, {{"a", IpAddress::parse("2001:db8::1").value()}}, "text"};
}  // namespace

TEST_CASE("values survive the way to bytes and back") {
  CHECK(from_bytes<Thing>(to_bytes(sample)).value() == sample);
}

TEST_CASE("a message cut short anywhere, or with bytes left over, is refused") {
  auto bytes = to_bytes(sample);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(from_bytes<Thing>(std::span(bytes).first(size)));
  bytes.push_back(0);
  CHECK_FALSE(from_bytes<Thing>(bytes));
}

TEST_CASE("a length that promises more than there is, is refused without reserving it") {
  CHECK_FALSE(from_bytes<std::string>(std::vector<std::uint8_t>{0xff, 0xff, 0xff, 0xff, 'x'}));
  CHECK_FALSE(from_bytes<std::vector<int>>(std::vector<std::uint8_t>{0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4}));
}
