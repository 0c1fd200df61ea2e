#include "netlink/request.h"

#include <linux/netlink.h>

#include <cassert>
#include <cstring>

namespace vipd::netlink {

Request::Request(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  append(&header, sizeof header);
}

void Request::append(const void* data, std::size_t size) {
  const auto* begin = static_cast<const std::uint8_t*>(data);
  bytes_.insert(bytes_.end(), begin, begin + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void Request::put(std::uint16_t attribute, std::span<const std::uint8_t> value) {
  assert(value.size() <= 0xffff - NLA_HDRLEN);
  const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + value.size()), attribute};
  append(&header, sizeof header);
  append(value.data(), value.size());
}

void Request::put_u8(std::uint16_t attribute, std::uint8_t value) {
  put(attribute, {&value, 1});
}

void Request::put_u32(std::uint16_t attribute, std::uint32_t value) {
  put_struct(attribute, value);
}

void Request::put_text(std::uint16_t attribute, std::string_view value) {
  std::vector<std::uint8_t> text(value.begin(), value.end());
  text.push_back(0);
  put(attribute, text);
}

std::size_t Request::begin(std::uint16_t attribute) {
  const auto nest = bytes_.size();
  put(static_cast<std::uint16_t>(attribute | NLA_F_NESTED), {});
  return nest;
}

void Request::end(std::size_t nest) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - nest);
  std::memcpy(bytes_.data() + nest + offsetof(nlattr, nla_len), &length, sizeof length);
}

std::span<const std::uint8_t> Request::finish(std::uint32_t sequence, std::uint16_t flags) {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_flags = static_cast<std::uint16_t>(header.nlmsg_flags | flags);
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof header);
  return bytes_;
}

}  // namespace vipd::netlink
