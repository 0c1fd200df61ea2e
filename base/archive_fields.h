// The fields of an archived struct (base/archive.h), as the compiler knows them: the tag that stands for a name, and the
// size of what always takes the same number of bytes, so that it is written without a look at each part.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

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

}  // namespace vipd
