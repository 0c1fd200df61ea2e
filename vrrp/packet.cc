#include "vrrp/packet.h"

#include <array>
#include <cassert>
#include <optional>

#include "vrrp/checksum.h"

namespace vipd::vrrp {

namespace {

//   0                   1                   2                   3
//  |Version| Type  | Virtual Rtr ID|   Priority    | IPvX Addr Count|     (RFC 9568 section 5.1)
//  |Reserve| Max Advertise Interval|           Checksum             |
//  |                    IPvX addresses ...                          |
constexpr std::size_t header_size = 8;
constexpr std::uint8_t protocol = 112;
constexpr std::uint8_t version = 3;
constexpr std::uint8_t type_advertisement = 1;
constexpr int required_hop_limit = 255;

struct Name {
  std::string_view name;
  std::string_view description;
};
constexpr std::array<Name, decode_error_count> names{{
    {"own_packet", "this node's own advertisement came back: does another host use the primary address?"},
    {"wrong_destination", "not sent to the VRRP multicast group"},
    {"hop_limit", "TTL or hop limit is not 255: the packet crossed a router, or is forged"},
    {"length", "its length does not match its own fields"},
    {"version", "not VRRP version 3"},
    {"type", "not an ADVERTISEMENT"},
    {"address_count", "carries no address"},
    {"checksum", "wrong checksum"},
    {"source", "no router can send from its source address (IPv6: it is not link-local)"},
    {"interval", "Max Advertise Interval of zero"},
    {"vrid", "no virtual router with this VRID on this interface"},
}};

tl::unexpected<DecodeError> discard(DecodeError error) {
  return tl::unexpected(error);
}

// The form in which the checksum is right, if any. By RFC 9568 section 5.2.8 the sum covers an IPv4 message
// alone; keepalived, FRR and others read RFC 5798 as adding a pseudo-header for IPv4 too.
std::optional<ChecksumForm> right_checksum(const Datagram& datagram, std::span<const std::uint8_t> message) {
  if (datagram.source.family == Family::ipv4 && Checksum().add(message).value() == 0)
    return ChecksumForm::rfc9568;
  const auto with_header =
      Checksum()
          .add_pseudo_header(datagram.source, datagram.destination, protocol, message.size())
          .add(message)
          .value();
  if (with_header == 0) return ChecksumForm::pseudo_header;
  return std::nullopt;
}

// The source decides ties, so it must be an address that a router can have: IPv6 a link-local address
// (5.1.2.1), IPv4 an address of a host. Linux delivers messages from 0.0.0.0 to the group's sockets.
bool can_be_source(const IpAddress& source) {
  if (source.family == Family::ipv6) return source.is_link_local();
  const bool broadcast = source.octets[0] == 255;
  return !source.is_unspecified() && !source.is_multicast() && !source.is_loopback() && !broadcast;
}

}  // namespace

std::string_view to_string(DecodeError error) {
  return names[static_cast<std::size_t>(error)].name;
}

std::string_view describe(DecodeError error) {
  return names[static_cast<std::size_t>(error)].description;
}

const IpAddress& multicast_group(Family family) {
  static const IpAddress ipv4{Family::ipv4, {224, 0, 0, 18}};
  static const IpAddress ipv6{Family::ipv6, {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12}};
  return family == Family::ipv4 ? ipv4 : ipv6;
}

MacAddress virtual_router_mac(Family family, Vrid vrid) {
  return {{0x00, 0x00, 0x5e, 0x00, static_cast<std::uint8_t>(family == Family::ipv4 ? 0x01 : 0x02), vrid}};
}

tl::expected<Advertisement, DecodeError> decode(const Datagram& datagram) {
  const Family family = datagram.source.family;
  const auto bytes = datagram.payload;
  if (datagram.destination != multicast_group(family)) return discard(DecodeError::wrong_destination);
  if (datagram.hop_limit != required_hop_limit) return discard(DecodeError::hop_limit);
  if (bytes.size() < header_size || datagram.truncated) return discard(DecodeError::length);
  if (bytes[0] >> 4 != version) return discard(DecodeError::version);
  if ((bytes[0] & 0x0f) != type_advertisement) return discard(DecodeError::type);

  const std::size_t count = bytes[3];
  const std::size_t address_size = family == Family::ipv4 ? 4 : 16;
  const std::size_t size = header_size + count * address_size;
  if (count == 0) return discard(DecodeError::address_count);
  if (bytes.size() < size) return discard(DecodeError::length);

  // Surplus bytes are accepted and counted. The sender's checksum may cover them or not.
  auto checksum = right_checksum(datagram, bytes.first(size));
  if (!checksum && bytes.size() > size) checksum = right_checksum(datagram, bytes);
  if (!checksum) return discard(DecodeError::checksum);
  if (!can_be_source(datagram.source)) return discard(DecodeError::source);

  Advertisement advertisement;
  advertisement.vrid = bytes[1];
  advertisement.priority = bytes[2];
  advertisement.interval =
      Centiseconds{(bytes[4] & 0x0f) << 8 | bytes[5]};  // the upper nibble is reserved (5.2.6)
  if (advertisement.interval == Centiseconds::zero()) return discard(DecodeError::interval);
  advertisement.checksum = *checksum;
  advertisement.trailing = bytes.size() - size;
  advertisement.addresses.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    advertisement.addresses.push_back(
        IpAddress::from_bytes(bytes.subspan(header_size + i * address_size, address_size)));
  return advertisement;
}

std::vector<std::uint8_t> encode(const Advertisement& advertisement, const IpAddress& source,
                                 const IpAddress& destination) {
  const auto interval = advertisement.interval.count();
  assert(!advertisement.addresses.empty() && advertisement.addresses.size() <= 255);
  assert(interval >= 1 && interval <= 4095);
  std::vector<std::uint8_t> bytes{version << 4 | type_advertisement,
                                  advertisement.vrid,
                                  advertisement.priority,
                                  static_cast<std::uint8_t>(advertisement.addresses.size()),
                                  static_cast<std::uint8_t>(interval >> 8),
                                  static_cast<std::uint8_t>(interval),
                                  0,
                                  0};
  for (const auto& address : advertisement.addresses)
    bytes.insert(bytes.end(), address.bytes().begin(), address.bytes().end());

  Checksum checksum;
  if (source.family == Family::ipv6 || advertisement.checksum == ChecksumForm::pseudo_header)
    checksum.add_pseudo_header(source, destination, protocol, bytes.size());
  const auto sum = checksum.add(bytes).value();
  bytes[6] = static_cast<std::uint8_t>(sum >> 8);
  bytes[7] = static_cast<std::uint8_t>(sum);
  return bytes;
}

}  // namespace vipd::vrrp
