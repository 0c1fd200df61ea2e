#include "base/base64.h"

#include <doctest/doctest.h>

using namespace vipd;

namespace {
std::string encoded(std::string_view text) {
  return to_base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}
}  // namespace

TEST_CASE("RFC 4648 section 10: the test vectors in both directions") {
  const std::pair<std::string_view, std::string_view> vectors[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, base64] : vectors) {
    CHECK(encoded(plain) == base64);
    const auto back = from_base64(base64);
    REQUIRE(back);
    CHECK(std::string(back->begin(), back->end()) == plain);
  }
}

TEST_CASE("all bytes survive encoding and decoding, and a text that is not base64 is rejected") {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 1000; ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7));
  CHECK(from_base64(to_base64(bytes)) == bytes);
  for (const auto* bad : {"Z", "Zg", "Zg=", "Zg==Zg==", "Zg=a", "Z===", "====", "Zm9*", "Zh=="})
    CHECK_FALSE(from_base64(bad));
}
