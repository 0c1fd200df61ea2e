// Request: builds one message for the kernel: a header, the fixed part of its kind (ifaddrmsg, ...), and
// attributes. netlink/batch and Socket::dump send it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::netlink {

class Request {
 public:
  // type: RTM_NEWADDR, ... flags: NLM_F_CREATE, ... (NLM_F_REQUEST is added).
  Request(std::uint16_t type, std::uint16_t flags);

  template <class T>
  void body(const T& fixed_part) {
    append(&fixed_part, sizeof fixed_part);
  }
  void put(std::uint16_t attribute, std::span<const std::uint8_t> value);
  void put_u8(std::uint16_t attribute, std::uint8_t value);
  void put_u32(std::uint16_t attribute, std::uint32_t value);
  void put_text(std::uint16_t attribute, std::string_view value);  // with its terminating zero
  template <class T>
  void put_struct(std::uint16_t attribute, const T& value) {
    put(attribute, {reinterpret_cast<const std::uint8_t*>(&value), sizeof value});
  }
  // Attributes that are put between begin and end become part of this one.
  std::size_t begin(std::uint16_t attribute);
  void end(std::size_t nest);

  // The operation, for error messages: "adding 192.0.2.1/24 to eth0".
  std::string doing;

  // The message with this sequence number and these additional flags, ready to be sent.
  std::span<const std::uint8_t> finish(std::uint32_t sequence, std::uint16_t flags);
  std::size_t size() const { return bytes_.size(); }

 private:
  void append(const void* data, std::size_t size);

  std::vector<std::uint8_t> bytes_;
};

}  // namespace vipd::netlink
