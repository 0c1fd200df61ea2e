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
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/archive_fields.h"
#include "base/archive_reader.h"
#include "base/archive_writer.h"
#include "base/ip.h"
#include "base/result.h"

namespace vipd {

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
