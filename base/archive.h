// Converts values to bytes and back, for messages between vipd's own programs (configuration, state, facts).
//
// One function beside a struct makes it archivable, in both directions, so that they cannot differ:
//     template <class A> void fields(A& a, Is<Thing> auto& t) { a(t.name, t.count); }
// The bytes come from another vipd process, which may have died while writing, run another version or be
// under the control of an attacker. Reading is therefore bounded, trusts no length, and fails on values that
// vipd would not produce itself:
//     constexpr bool known(Thing)         required for an enumeration: the value is one of the enumerators
//     bool valid(const Thing&)            for a struct, if not every combination of fields is valid
// Durations and time points are bounded, so that the sums and multiples of the protocol do not overflow.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace vipd {

template <class T, class Value>
concept Is = std::same_as<std::remove_const_t<T>, Value>;

class ArchiveWriter {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (write(values), ...);
  }
  std::vector<std::uint8_t> take() {
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  // Most values are small, with a size known to the compiler: then this is one instruction and no call.
  [[gnu::always_inline]] void raw(const void* data, std::size_t size) {
    if (size == 0) return;
    if (size_ + size > bytes_.size()) grow(size);
    std::memcpy(bytes_.data() + size_, data, size);
    size_ += size;
  }
  void grow(std::size_t size) { bytes_.resize(2 * (size_ + size)); }
  template <class T>
    requires std::is_arithmetic_v<T> || std::is_enum_v<T>
  void write(T value) {
    raw(&value, sizeof value);
  }
  void size(std::size_t value) { write(static_cast<std::uint32_t>(value)); }
  void write(const std::string& value) {
    size(value.size());
    raw(value.data(), value.size());
  }
  void write(const std::vector<std::uint8_t>& value) {  // may be megabytes
    size(value.size());
    raw(value.data(), value.size());
  }
  template <class T>
  void write(const std::vector<T>& value) {
    size(value.size());
    for (const T& each : value) write(each);
  }
  template <class T, std::size_t n>
  void write(const std::array<T, n>& value) {
    if constexpr (std::is_integral_v<T>) return raw(value.data(), sizeof value);
    for (const T& each : value) write(each);
  }
  template <class K, class V>
  void write(const std::map<K, V>& value) {
    size(value.size());
    for (const auto& [key, each] : value) write(key), write(each);
  }
  template <class T>
  void write(const std::set<T>& value) {
    size(value.size());
    for (const T& each : value) write(each);
  }
  template <class A, class B>
  void write(const std::pair<A, B>& value) {
    write(value.first), write(value.second);
  }
  template <class T>
  void write(const std::optional<T>& value) {
    write(value.has_value());
    if (value) write(*value);
  }
  template <class... T>
  void write(const std::variant<T...>& value) {
    write(static_cast<std::uint8_t>(value.index()));
    std::visit([this](const auto& each) { this->write(each); }, value);
  }
  template <class R, class P>
  void write(const std::chrono::duration<R, P>& value) {
    write(value.count());
  }
  template <class C, class D>
  void write(const std::chrono::time_point<C, D>& value) {
    write(value.time_since_epoch());
  }
  template <class T>
    requires requires(ArchiveWriter& a, const T& t) { fields(a, t); }
  void write(const T& value) {
    fields(*this, value);
  }

  std::vector<std::uint8_t> bytes_;  // longer than the written bytes
  std::size_t size_ = 0;             // of the written bytes
};

class ArchiveReader {
 public:
  static constexpr std::chrono::hours longest{24 * 366};          // a duration
  static constexpr std::chrono::seconds furthest{4'000'000'000};  // a time point, from zero; or its maximum
  static constexpr int deepest = 64;                              // nested structs
  static constexpr std::size_t most_reserved = 4096;              // elements reserved before they are read

  explicit ArchiveReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  template <class... T>
  void operator()(T&... values) {
    (read(values), ...);
  }
  bool good() const { return good_; }
  bool done() const { return good_ && rest_.empty(); }  // everything read, nothing left over

 private:
  [[gnu::always_inline]] void raw(void* data, std::size_t size) {
    if (size == 0) return;
    if (!good_ || size > rest_.size()) {
      good_ = false;
      std::memset(data, 0, size);
      return;
    }
    std::memcpy(data, rest_.data(), size);
    rest_ = rest_.subspan(size);
  }
  template <class T>
    requires std::is_arithmetic_v<T>
  void read(T& value) {
    if constexpr (std::same_as<T, bool>) {
      std::uint8_t byte = 0;
      raw(&byte, 1);
      if (byte > 1) good_ = false;
      value = byte == 1;
    } else {
      raw(&value, sizeof value);
    }
  }
  template <class T>
    requires std::is_enum_v<T>
  void read(T& value) {
    std::underlying_type_t<T> number{};
    read(number);
    value = static_cast<T>(number);
    if (!known(value)) good_ = false;
  }
  // A count never exceeds the number of remaining bytes: each element takes at least one.
  std::size_t size() {
    std::uint32_t value = 0;
    read(value);
    if (value > rest_.size()) good_ = false;
    return good_ ? value : 0;
  }
  void read(std::string& value) {
    value.resize(size());
    raw(value.data(), value.size());
  }
  void read(std::vector<std::uint8_t>& value) {
    value.resize(size());
    raw(value.data(), value.size());
  }
  template <class T>
  void read(std::vector<T>& value) {
    value.clear();
    const auto count = size();
    value.reserve(std::min(count, most_reserved));
    for (auto left = count; left > 0 && good_; --left) {
      T each{};
      read(each);
      value.push_back(std::move(each));
    }
  }
  template <class T, std::size_t n>
  void read(std::array<T, n>& value) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return raw(value.data(), sizeof value);
    for (T& each : value) read(each);
  }
  template <class K, class V>
  void read(std::map<K, V>& value) {
    value.clear();
    for (auto left = size(); left > 0 && good_; --left) {
      K key{};
      V each{};
      read(key), read(each);
      value.emplace(std::move(key), std::move(each));
    }
  }
  template <class T>
  void read(std::set<T>& value) {
    value.clear();
    for (auto left = size(); left > 0 && good_; --left) {
      T each{};
      read(each);
      value.insert(std::move(each));
    }
  }
  template <class A, class B>
  void read(std::pair<A, B>& value) {
    read(value.first), read(value.second);
  }
  template <class T>
  void read(std::optional<T>& value) {
    bool present = false;
    read(present);
    value.reset();
    if (present) {
      T each{};
      read(each);
      value = std::move(each);
    }
  }
  template <class... T>
  void read(std::variant<T...>& value) {
    std::uint8_t index = 0;
    read(index);
    if (index >= sizeof...(T)) {
      good_ = false;
      return;
    }
    read_alternative(value, index, std::index_sequence_for<T...>{});
  }
  template <class... T, std::size_t... i>
  void read_alternative(std::variant<T...>& value, std::size_t index, std::index_sequence<i...>) {
    ((index == i ? read(value.template emplace<i>()) : void()), ...);
  }
  template <class R, class P>
  void read(std::chrono::duration<R, P>& value) {
    static_assert(std::is_integral_v<R>);
    constexpr auto bound = std::chrono::duration_cast<std::chrono::duration<R, P>>(longest);
    R count{};
    read(count);
    value = std::chrono::duration<R, P>{count};
    if (value > bound || value < -bound) good_ = false;
  }
  template <class C, class D>
  void read(std::chrono::time_point<C, D>& value) {
    typename D::rep count{};
    read(count);
    const D since{count};
    value = std::chrono::time_point<C, D>{since};
    if (since != D::max() && (since > furthest || since < -furthest)) good_ = false;
  }
  template <class T>
    requires requires(ArchiveReader& a, T& t) { fields(a, t); }
  void read(T& value) {
    if (++depth_ > deepest) good_ = false;
    if (good_) fields(*this, value);
    --depth_;
    if constexpr (requires { valid(std::as_const(value)); })
      if (good_ && !valid(std::as_const(value))) good_ = false;
  }

  std::span<const std::uint8_t> rest_;
  bool good_ = true;
  int depth_ = 0;
};

template <class T>
std::vector<std::uint8_t> to_bytes(const T& value) {
  ArchiveWriter writer;
  writer(value);
  return writer.take();
}

template <class T>
Result<T> from_bytes(std::span<const std::uint8_t> bytes) {
  ArchiveReader reader(bytes);
  T value{};
  reader(value);
  if (!reader.done())
    return failure("cannot read a message of " + std::to_string(bytes.size()) + " bytes: it is damaged");
  return value;
}

constexpr bool known(Family family) {
  return family == Family::ipv4 || family == Family::ipv6;
}
template <class A>
void fields(A& a, Is<IpAddress> auto& address) {
  a(address.family, address.octets);
}
inline bool valid(const IpAddress& address) {
  return std::all_of(address.octets.begin() + static_cast<std::ptrdiff_t>(address.size()),
                     address.octets.end(), [](std::uint8_t octet) { return octet == 0; });
}
template <class A>
void fields(A& a, Is<Prefix> auto& prefix) {
  a(prefix.address, prefix.length);
}
inline bool valid(const Prefix& prefix) {
  return prefix.length <= 8 * prefix.address.size();
}
template <class A>
void fields(A& a, Is<MacAddress> auto& mac) {
  a(mac.octets);
}

}  // namespace vipd
