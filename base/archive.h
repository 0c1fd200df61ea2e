// Converts values to bytes and back, for what vipd's own programs exchange: configuration, state, facts.
//
// One function beside a struct makes it archivable, in both directions, so that they cannot differ:
//     template <class A> constexpr void fields(A& a, Is<Thing> auto& t) { a("name", t.name)("count", t.count); }
// The two programs may be of different releases, because an upgrade replaces one after the other, so each
// field is written with a tag, a hash of its name. A reader skips the fields that it does not know and leaves
// those that are missing at their default. So fields may be added anywhere and removed. A field whose type or
// meaning changes gets another name. Alternatives of a variant and enumerators are added at the end.
//
// Release 0.1 wrote the same fields without tags, in the order of `fields`. It is still read, and written for
// its programs (ArchiveFormat::release_0_1). A field that is younger than that release is added with later():
//     a("name", t.name)("count", t.count).later("colour", t.colour);
// A value that will never have another part, an address for instance, has `parts` instead: they have no tags
// in any format:
//     template <class A> constexpr void parts(A& a, Is<Pair> auto& p) { a.in_order(p.first, p.second); }
//
// The bytes come from another vipd process, which may have died while writing or be under the control of an
// attacker. Reading is therefore bounded, trusts no length, and fails on values that vipd would not produce
// itself:
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

enum class ArchiveFormat : std::uint8_t {
  release_0_1,  // the values of all fields, in the order of `fields`
  tagged,       // a struct: its size; for each field its tag, its size and its value
};

// The name of a field, as the tag that stands for it in the bytes.
struct FieldName {
  // NOLINTNEXTLINE(google-explicit-constructor): `fields` reads as a list of names.
  consteval FieldName(const char* name) {
    std::uint32_t hash = 0x811c9dc5;  // FNV-1a, folded
    for (; *name != 0; ++name) hash = (hash ^ static_cast<std::uint8_t>(*name)) * 0x01000193;
    tag = static_cast<std::uint16_t>(hash ^ (hash >> 16));
  }
  std::uint16_t tag = 0;
};

// Lists the tags of a struct at compile time.
class TagList {
 public:
  template <class T>
  constexpr TagList& operator()(FieldName name, const T& /*value*/) {
    tags_[count_++] = name.tag;  // too many are an error of the compiler
    return *this;
  }
  template <class T>
  constexpr TagList& later(FieldName name, const T& value) {
    return (*this)(name, value);
  }
  constexpr bool differ() const {
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (tags_[i] == tags_[j]) return false;
    return true;
  }

 private:
  std::array<std::uint16_t, 64> tags_{};
  std::size_t count_ = 0;
};

// `fields` only takes the addresses of the members, so it needs no value.
template <class T>
union NoValue {
  constexpr NoValue() : nothing() {}
  constexpr ~NoValue() {}
  char nothing;
  T value;
};

template <class T>
consteval bool tags_differ() {
  NoValue<T> none;
  TagList list;
  fields(list, none.value);
  return list.differ();
}

template <class T>
concept Scalar = std::is_arithmetic_v<T> || std::is_enum_v<T>;
// A duration or a time point.
template <class T>
concept Time = requires { typename T::period; };

template <class T>
consteval std::size_t tagged_size();

// Adds up how many bytes a struct takes, at compile time.
class SizeSum {
 public:
  template <class T>
  constexpr SizeSum& operator()(FieldName /*name*/, const T& /*value*/) {
    add(sizeof(std::uint16_t) + sizeof(std::uint32_t), tagged_size<T>());
    return *this;
  }
  template <class T>
  constexpr SizeSum& later(FieldName name, const T& value) {
    return (*this)(name, value);
  }
  template <class... T>
  constexpr void in_order(const T&... /*values*/) {
    (add(0, tagged_size<T>()), ...);
  }
  constexpr std::size_t sum() const { return varies_ ? 0 : sum_; }

 private:
  constexpr void add(std::size_t before, std::size_t size) {
    if (size == 0) varies_ = true;
    sum_ += before + size;
  }
  std::size_t sum_ = 0;
  bool varies_ = false;
};

template <class T>
inline constexpr std::size_t tagged_array_size = 0;
template <std::size_t n>
inline constexpr std::size_t tagged_array_size<std::array<std::uint8_t, n>> = n;
template <Scalar T, std::size_t n>
  requires(sizeof(T) > 1)
inline constexpr std::size_t tagged_array_size<std::array<T, n>> = sizeof(std::uint32_t) + n * sizeof(T);

// The bytes of every value of this type in the tagged format; 0: they differ.
template <class T>
consteval std::size_t tagged_size() {
  if constexpr (Scalar<T> || Time<T>) {
    return sizeof(T);
  } else if constexpr (requires(SizeSum& a, const T& t) { parts(a, t); }) {
    NoValue<T> none;
    SizeSum sum;
    parts(sum, none.value);
    return sum.sum();
  } else if constexpr (requires(SizeSum& a, const T& t) { fields(a, t); }) {
    static_assert(tags_differ<T>(), "two fields have the same tag: give one of them another name");
    NoValue<T> none;
    SizeSum sum;
    fields(sum, none.value);
    return sum.sum() == 0 ? 0 : sizeof(std::uint32_t) + sum.sum();
  } else {
    return tagged_array_size<T>;
  }
}

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

// buffer: its memory is used again.
template <class T>
std::vector<std::uint8_t> to_bytes(const T& value, ArchiveFormat format = ArchiveFormat::tagged,
                                   std::vector<std::uint8_t> buffer = {}) {
  if (format == ArchiveFormat::tagged)
    return ArchiveWriter<ArchiveFormat::tagged>(std::move(buffer)).bytes_of(value);
  return ArchiveWriter<ArchiveFormat::release_0_1>(std::move(buffer)).bytes_of(value);
}

template <class T>
Result<T> from_bytes(std::span<const std::uint8_t> bytes, ArchiveFormat format = ArchiveFormat::tagged) {
  T value{};
  const bool good = format == ArchiveFormat::tagged
                        ? ArchiveReader<ArchiveFormat::tagged>(bytes).read_all(value)
                        : ArchiveReader<ArchiveFormat::release_0_1>(bytes).read_all(value);
  if (!good)
    return failure("cannot read a message of " + std::to_string(bytes.size()) + " bytes: it is damaged");
  return value;
}

constexpr bool known(Family family) {
  return family == Family::ipv4 || family == Family::ipv6;
}
template <class A>
constexpr void parts(A& a, Is<IpAddress> auto& address) {
  a.in_order(address.family, address.octets);
}
inline bool valid(const IpAddress& address) {
  return std::all_of(address.octets.begin() + static_cast<std::ptrdiff_t>(address.size()),
                     address.octets.end(), [](std::uint8_t octet) { return octet == 0; });
}
template <class A>
constexpr void parts(A& a, Is<Prefix> auto& prefix) {
  a.in_order(prefix.address, prefix.length);
}
inline bool valid(const Prefix& prefix) {
  return prefix.length <= 8 * prefix.address.size();
}
template <class A>
constexpr void parts(A& a, Is<MacAddress> auto& mac) {
  a.in_order(mac.octets);
}

}  // namespace vipd
