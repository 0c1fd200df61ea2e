// Reads values from bytes: the half of base/archive.h for receiving. It trusts nothing that it reads.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/archive_fields.h"

namespace vipd {

struct ArchiveBounds {
  static constexpr std::chrono::hours longest{24 * 366};          // a duration
  static constexpr std::chrono::seconds furthest{4'000'000'000};  // a time point, from zero; or its maximum
  static constexpr int deepest = 64;                              // nested structs
  static constexpr std::size_t most_reserved = 4096;              // elements reserved before they are read
};

template <ArchiveFormat format>
class ArchiveReader : ArchiveBounds {
 public:
  explicit ArchiveReader(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  template <class T>
  ArchiveReader& operator()(FieldName name, T& value) {
    if constexpr (format == ArchiveFormat::release_0_1) {
      read(value);
    } else {
      const auto found = find(name.tag);
      if (!found.data()) return *this;
      const auto after = std::exchange(rest_, found);
      read(value);
      if (!rest_.empty()) good_ = false;
      rest_ = after;
    }
    return *this;
  }
  // A field that release 0.1 does not have.
  template <class T>
  ArchiveReader& later(FieldName name, T& value) {
    if constexpr (format != ArchiveFormat::release_0_1) (*this)(name, value);
    return *this;
  }
  template <class... T>
  void in_order(T&... values) {
    (read(values), ...);
  }
  // Whether the bytes are this value: everything was read, nothing is left over.
  template <class T>
  bool read_all(T& value) {
    read(value);
    return good_ && rest_.empty();
  }

 private:
  using Bytes = std::span<const std::uint8_t>;
  static constexpr std::size_t head_size = sizeof(std::uint16_t) + sizeof(std::uint32_t);
  struct Field {
    std::uint16_t tag = 0;
    Bytes value;
    const std::uint8_t* end = nullptr;  // null: there is none
  };

  // The field at a place of the struct.
  Field field_at(const std::uint8_t* place) {
    const auto left = static_cast<std::size_t>(struct_.data() + struct_.size() - place);
    if (left == 0) return {};
    Field field;
    std::uint32_t size = 0;
    if (left >= head_size) {
      std::memcpy(&field.tag, place, sizeof field.tag);
      std::memcpy(&size, place + sizeof field.tag, sizeof size);
    }
    if (left < head_size || size > left - head_size) {
      good_ = false;
      return {};
    }
    field.value = {place + head_size, size};
    field.end = place + head_size + size;
    return field;
  }

  // Its value; no data: it is missing. Nearly always the next one: writer and reader have the same order.
  Bytes find(std::uint16_t tag) {
    if (!good_) return {};
    auto field = field_at(next_);
    if (field.end && field.tag == tag) {
      next_ = field.end;
      return field.value;
    }
    const auto* next = next_;
    while (field.end) {
      next = field.end;
      field = field_at(next);
      if (!field.end || field.tag != tag) continue;
      next_ = field.end;
      return field.value;
    }
    for (const auto* place = struct_.data(); good_ && place < next_; place = field.end) {
      field = field_at(place);
      if (field.tag == tag) return field.value;
    }
    return {};
  }

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
  template <std::size_t n>
  void read(std::array<std::uint8_t, n>& value) {
    raw(value.data(), n);
  }
  // Another release may have fewer or more of these counters.
  template <class T, std::size_t n>
  void read(std::array<T, n>& value) {
    const std::size_t count = format == ArchiveFormat::tagged ? size() : n;
    for (std::size_t i = 0; i < count && good_; ++i) {
      T each{};
      read(each);
      if (i < n) value[i] = std::move(each);
    }
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
    requires requires(ArchiveReader& a, T& t) { parts(a, t); }
  void read(T& value) {
    if (good_) parts(*this, value);
    check(value);
  }
  template <class T>
    requires requires(ArchiveReader& a, T& t) { fields(a, t); }
  void read(T& value) {
    if (++depth_ > deepest) good_ = false;
    if constexpr (format == ArchiveFormat::release_0_1) {
      if (good_) fields(*this, value);
    } else if (const auto own = size(); good_) {
      const auto outer = std::exchange(struct_, rest_.first(own));
      const auto* outer_next = std::exchange(next_, struct_.data());
      const auto after = rest_.subspan(own);
      fields(*this, value);
      while (next_ && good_ && next_ < struct_.data() + struct_.size()) next_ = field_at(next_).end;
      struct_ = outer;
      next_ = outer_next;
      rest_ = after;
    }
    --depth_;
    check(value);
  }
  template <class T>
  void check(const T& value) {
    if constexpr (requires { valid(value); })
      if (good_ && !valid(value)) good_ = false;
  }

  Bytes rest_;                          // of the value that is being read
  Bytes struct_;                        // the fields of the struct that is being read
  const std::uint8_t* next_ = nullptr;  // of these fields
  bool good_ = true;
  int depth_ = 0;
};

}  // namespace vipd
