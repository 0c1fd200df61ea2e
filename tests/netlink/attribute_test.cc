#include "netlink/attribute.h"

#include <doctest/doctest.h>

#include <vector>

#include "netlink/request.h"
#include "netlink/socket.h"

using namespace vipd;
using namespace vipd::netlink;

namespace {
std::vector<std::uint8_t> datagram_of(std::initializer_list<std::uint32_t> lengths) {
  std::vector<std::uint8_t> bytes;
  for (const auto length : lengths) {
    nlmsghdr header{};
    header.nlmsg_len = length;
    const auto* begin = reinterpret_cast<const std::uint8_t*>(&header);
    bytes.insert(bytes.end(), begin, begin + sizeof header);
  }
  return bytes;
}

int messages_in(const std::vector<std::uint8_t>& datagram) {
  int count = 0;
  for_each_message(datagram, [&](const nlmsghdr&) { ++count; });
  return count;
}
}  // namespace

TEST_CASE("parsing of a datagram ends at a message with an impossible length") {
  CHECK(messages_in({}) == 0);
  CHECK(messages_in(datagram_of({16, 16, 16})) == 3);
  CHECK(messages_in(datagram_of({16, 0, 16})) == 1);
  CHECK(messages_in(datagram_of({16, 33, 16})) == 1);
  CHECK(messages_in(datagram_of({16, 32, 16})) == 2);
  CHECK(messages_in(datagram_of({16, 0x80000010, 16})) == 1);  // libmnl reads it as negative
  CHECK(messages_in(datagram_of({16, 0xffffffff, 16})) == 1);
}

TEST_CASE("an error message whose request has an impossible length has no error text") {
  for (const std::uint32_t length : {0u, 15u, 0x80000000u, 0xffffffffu}) {
    Request request(NLMSG_ERROR, NLM_F_ACK_TLVS);
    nlmsgerr error{};
    error.error = -22;
    error.msg.nlmsg_len = length;
    request.body(error);
    request.put_text(NLMSGERR_ATTR_MSG, "Invalid prefix length");
    const auto bytes = request.finish(1, 0);
    const auto verdict = verdict_of(*reinterpret_cast<const nlmsghdr*>(bytes.data()));
    CHECK(verdict.code == 22);
    CHECK(verdict.words.empty());
  }
}
