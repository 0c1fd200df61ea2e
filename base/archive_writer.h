// Writes values as bytes: the half of base/archive.h for sending. It is on the path of every advertisement, because the
// router keeps its state in shared memory, so what has a fixed size costs a few instructions.
#pragma once

#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/archive_fields.h"

namespace vipd {

// Writes values of such a size in the tagged format, to where there is room for them. It has no state but its
// place, so that the compiler makes a few instructions of a whole struct.
class TaggedPlace {
 public:
  explicit TaggedPlace(std::uint8_t* place) : place_(place) {}
  template <class T>
  [[gnu::always_inline]] TaggedPlace& operator()(FieldName name, const T& value) {
    put(name.tag);
    put(static_cast<std::uint32_t>(tagged_size<T>()));
    write(value);
    return *this;
  }
  template <class T>
  [[gnu::always_inline]] TaggedPlace& later(FieldName name, const T& value) {
    return (*this)(name, value);
  }
  template <class... T>
  [[gnu::always_inline]] void in_order(const T&... values) {
    (write(values), ...);
  }
  template <class T>
  [[gnu::always_inline]] void write(const T& value) {
    if constexpr (Scalar<T> || Time<T>) {
      put(value);
    } else if constexpr (requires { parts(*this, value); }) {
      parts(*this, value);
    } else if constexpr (requires { fields(*this, value); }) {
      put(static_cast<std::uint32_t>(tagged_size<T>() - sizeof(std::uint32_t)));
      fields(*this, value);
    } else {
      if constexpr (sizeof(value[0]) > 1) put(static_cast<std::uint32_t>(value.size()));
      put(value);
    }
  }

 private:
  template <class T>
  [[gnu::always_inline]] void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(place_, &value, sizeof value);
    place_ += sizeof value;
  }
  std::uint8_t* place_;
};

template <ArchiveFormat format>
class ArchiveWriter {
 public:
  // Uses the memory of this buffer, for a writer that writes the same kind of value again and again.
  explicit ArchiveWriter(std::vector<std::uint8_t> buffer = {}) : bytes_(std::move(buffer)) {}

  template <class T>
  [[gnu::always_inline]] ArchiveWriter& operator()(FieldName name, const T& value) {
    if constexpr (format == ArchiveFormat::release_0_1) {
      write(value);
    } else if constexpr (constexpr auto fixed = tagged_size<T>(); fixed > 0) {
      constexpr auto all = sizeof name.tag + sizeof(std::uint32_t) + fixed;
      make_room(all);
      TaggedPlace(bytes_.data() + size_)(name, value);
      size_ += all;
    } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::uint8_t>>) {
      head(name.tag, sizeof(std::uint32_t) + value.size(), sizeof(std::uint32_t) + value.size());
      const auto size = static_cast<std::uint32_t>(value.size());
      put(&size, sizeof size);
      put(value.data(), value.size());
    } else {
      head(name.tag, 0, 0);
      const auto begin = size_;
      write(value);
      put_size(begin);
    }
    return *this;
  }
  // A field that release 0.1 does not have.
  template <class T>
  ArchiveWriter& later(FieldName name, const T& value) {
    if constexpr (format != ArchiveFormat::release_0_1) (*this)(name, value);
    return *this;
  }
  template <class... T>
  void in_order(const T&... values) {
    (write(values), ...);
  }
  template <class T>
  std::vector<std::uint8_t> bytes_of(const T& value) {
    write(value);
    bytes_.resize(size_);
    return std::move(bytes_);
  }

 private:
  // Most values are small, with a size known to the compiler: then this is one instruction and no call.
  [[gnu::always_inline]] void raw(const void* data, std::size_t size) {
    make_room(size);
    put(data, size);
  }
  [[gnu::always_inline]] void make_room(std::size_t size) {
    if (size_ + size > bytes_.size()) grow(size);
  }
  [[gnu::always_inline]] void put(const void* data, std::size_t size) {
    if (size == 0) return;
    std::memcpy(bytes_.data() + size_, data, size);
    size_ += size;
  }
  [[gnu::noinline]] void grow(std::size_t size) { bytes_.resize(2 * (size_ + size)); }
  // Tag and size of a field, and room for `more` bytes.
  [[gnu::always_inline]] void head(std::uint16_t tag, std::size_t value_size, std::size_t more) {
    const auto size32 = static_cast<std::uint32_t>(value_size);
    make_room(sizeof tag + sizeof size32 + more);
    put(&tag, sizeof tag);
    put(&size32, sizeof size32);
  }
  // The size of what was written since, into the four bytes before it.
  void put_size(std::size_t begin) {
    const auto size32 = static_cast<std::uint32_t>(size_ - begin);
    std::memcpy(bytes_.data() + begin - sizeof size32, &size32, sizeof size32);
  }

  template <Scalar T>
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
  template <std::size_t n>
  void write(const std::array<std::uint8_t, n>& value) {  // the octets of an address
    raw(value.data(), n);
  }
  // Counters by an enumeration, which may get more enumerators.
  template <class T, std::size_t n>
  void write(const std::array<T, n>& value) {
    if constexpr (format == ArchiveFormat::tagged) size(n);
    if constexpr (Scalar<T>) return raw(value.data(), sizeof value);
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
    requires requires(ArchiveWriter& a, const T& t) { parts(a, t); }
  void write(const T& value) {
    parts(*this, value);
  }
  template <class T>
    requires requires(ArchiveWriter& a, const T& t) { fields(a, t); }
  void write(const T& value) {
    if constexpr (format == ArchiveFormat::release_0_1) {
      fields(*this, value);
    } else if constexpr (constexpr auto fixed = tagged_size<T>(); fixed > 0) {
      make_room(fixed);
      TaggedPlace(bytes_.data() + size_).write(value);
      size_ += fixed;
    } else {
      size(0);
      const auto begin = size_;
      fields(*this, value);
      put_size(begin);
    }
  }

  std::vector<std::uint8_t> bytes_;  // longer than the written bytes
  std::size_t size_ = 0;             // of the written bytes
};

}  // namespace vipd
