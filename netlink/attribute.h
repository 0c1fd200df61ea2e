// The attributes of a message from the kernel, one after the other. Bounded by the message, whatever their
// lengths say.
#pragma once

#include <libmnl/libmnl.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace vipd::netlink {

// Calls visit(std::uint16_t type, std::span<const std::uint8_t> value) for each attribute of the message
// behind the first `offset` bytes of its payload.
template <class Visit>
void for_each_attribute(const nlmsghdr& message, std::size_t offset, Visit visit) {
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
  const auto* attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, offset));
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    const auto* value = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
    visit(mnl_attr_get_type(attribute), std::span(value, mnl_attr_get_payload_len(attribute)));
    attribute = mnl_attr_next(attribute);
  }
}

// A value of exactly T's size into `target`; anything else is ignored.
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
