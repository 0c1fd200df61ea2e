// Iterates over the messages of a datagram from the kernel, and over the attributes of a message. Bounded by
// the received bytes, whatever their length fields claim. (libmnl's mnl_nlmsg_ok() takes a length above 2 GiB
// for a negative number, and thus for valid.)
#pragma once

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace vipd::netlink {

// Calls visit(const nlmsghdr&) for each message of a datagram, until one has an impossible length. A visitor
// that returns bool stops with false.
template <class Visit>
void for_each_message(std::span<const std::uint8_t> datagram, Visit visit) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (message->nlmsg_len < sizeof(nlmsghdr) || message->nlmsg_len > datagram.size()) return;
    if constexpr (std::is_same_v<decltype(visit(*message)), bool>) {
      if (!visit(*message)) return;
    } else {
      visit(*message);
    }
    const std::size_t size = NLMSG_ALIGN(std::size_t{message->nlmsg_len});
    datagram = datagram.subspan(std::min(size, datagram.size()));
  }
}

// Calls visit(std::uint16_t type, std::span<const std::uint8_t> value) for each attribute.
template <class Visit>
void for_each_attribute(std::span<const std::uint8_t> attributes, Visit visit) {
  while (attributes.size() >= sizeof(nlattr)) {
    const auto* attribute = reinterpret_cast<const nlattr*>(attributes.data());
    if (attribute->nla_len < sizeof(nlattr) || attribute->nla_len > attributes.size()) return;
    visit(mnl_attr_get_type(attribute),
          attributes.subspan(sizeof(nlattr), attribute->nla_len - sizeof(nlattr)));
    const std::size_t size = NLA_ALIGN(std::size_t{attribute->nla_len});
    attributes = attributes.subspan(std::min(size, attributes.size()));
  }
}

// The attributes of the message after the first `offset` bytes of its payload.
template <class Visit>
void for_each_attribute(const nlmsghdr& message, std::size_t offset, Visit visit) {
  const std::size_t size = mnl_nlmsg_get_payload_len(&message);
  if (NLMSG_ALIGN(offset) > size) return;
  const auto* payload = static_cast<const std::uint8_t*>(mnl_nlmsg_get_payload(&message));
  for_each_attribute(std::span(payload, size).subspan(NLMSG_ALIGN(offset)), visit);
}

// Copies a value of exactly T's size into `target`; ignores any other.
template <class T>
void read_attribute(std::span<const std::uint8_t> value, T& target) {
  if (value.size() == sizeof target) std::memcpy(&target, value.data(), sizeof target);
}

// Text with or without its terminating zero.
inline std::string text_of(std::span<const std::uint8_t> value) {
  const auto* text = reinterpret_cast<const char*>(value.data());
  return {text, strnlen(text, value.size())};
}

}  // namespace vipd::netlink
