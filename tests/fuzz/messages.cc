// Messages between our programs: whatever one of them writes, in a channel, in the memory that the router
// shares with the guardian, or as the state that an upgrade hands over, the reader refuses it or gets values
// that mean the same when they are written again, and that it can use.
//
// An input is what came through a channel, header and all, or what is handed over, if it begins like that.
// Otherwise its first byte is the type of a message, or `hold`, and the rest are its bytes. The highest bit of
// the type says that they are in the tagged format.
#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "conf/load.h"
#include "ctl/events.h"
#include "ctl/show.h"
#include "events/line.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/hold.h"
#include "programs/common/link.h"
#include "programs/common/monitor_router_messages.h"
#include "programs/guardian/handover.h"
#include "programs/monitor/show.h"
#include "vrrp/engine.h"
#include "vrrp/input.h"

using namespace vipd;
using namespace vipd::programs;

namespace {
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t hold_type = 0xff;  // in release 0.1's format
constexpr std::uint8_t tagged_hold_type = 0xfe;
constexpr std::uint8_t tagged_byte = 0x80;
constexpr TimePoint noon{std::chrono::hours(12)};

template <class M>
void survives(const M& value, ArchiveFormat format) {
  const auto written = to_bytes(value, format);
  const auto again = from_bytes<M>(written, format);
  assert(again && to_bytes(*again, format) == written);
}

// The value, if it can be read; then it survives the way.
template <class M>
std::optional<M> read(Bytes bytes, ArchiveFormat format) {
  auto value = from_bytes<M>(bytes, format);
  if (!value) {
    assert(!value.error().message.empty());
    return std::nullopt;
  }
  survives(*value, format);
  return std::move(*value);
}

// --- what the receivers do with it ---

template <class M>
void use(const M&) {}

// A router adopts the state of its predecessor, and runs for a while.
void use(const Configure& message) {
  vrrp::Engine engine;
  auto time = noon;
  for (const auto& router : message.routers)
    engine.step(time, vrrp::InterfaceChanged{{.name = router.key.interface,
                                              .index = 2,
                                              .up = true,
                                              .running = true,
                                              .mtu = 1500,
                                              .mac = {{2, 0, 0, 0, 0, 1}},
                                              .addresses = {{Prefix::parse("192.0.2.1/24").value()},
                                                            {Prefix::parse("fe80::1/64").value()}}}});
  engine.step(time, vrrp::ConfigReplaced{message.routers, message.adopted});
  int turns = 0;
  for (const auto end = time + std::chrono::milliseconds(200); turns < 1000; ++turns) {
    const auto deadline = engine.next_deadline();
    if (!deadline || *deadline > end) break;
    time = std::max(time, *deadline);
    engine.step(time, vrrp::Tick{});
  }
  const std::size_t routers = std::max<std::size_t>(message.routers.size(), 1);
  assert(static_cast<std::size_t>(turns) <= 100 * routers);  // it does not spin
  assert(from_bytes<vrrp::Snapshot>(to_bytes(engine.snapshot())));
}

// What vipctl gets to see of it.
void use(const StatusReply& reply) {
  const auto line = status_to_json(reply, {}, {}, noon);
  assert(line.find('\n') == std::string::npos);
  ctl::status_text(nlohmann::json::parse(line), false);
  for (const auto& router : reply.status.routers) {
    const auto explained = explanation_to_json(reply.status, router.config.name);
    assert(!explained.is_null());
    ctl::explanation_text(explained);
  }
}

void use(const Happened& happened) {
  for (const auto& event : happened.events) {
    const auto line = events::to_line(event);
    assert(line.find('\n') == std::string::npos);
    if (events::parse_line(line)) assert(!ctl::event_line(nlohmann::json::parse(line), false).empty());
  }
}

// The guardian sends this in the router's place.
void use(const HoldState& state) {
  for (const auto& held : state.held) {
    const auto& group = vrrp::multicast_group(held.key.family);
    assert(!vrrp::encode(held.advertisement, held.source, group).empty());
  }
}

// --- the ways in which it comes ---

template <class Messages>
void take_as(std::uint16_t type, Bytes bytes) {
  auto message = Direction<Messages>::read({type, {bytes.begin(), bytes.end()}, {}});
  if (!message) {
    assert(!message.error().message.empty());
    return;
  }
  std::visit(
      [&](const auto& each) {
        survives(each, (type & tagged_type) != 0 ? ArchiveFormat::tagged : ArchiveFormat::release_0_1);
        use(each);
      },
      *message);
}

void take(std::uint16_t type, Bytes bytes) {
  take_as<GuardianToRouter>(type, bytes);
  take_as<RouterToGuardian>(type, bytes);
  take_as<GuardianToMonitor>(type, bytes);
  take_as<MonitorToGuardian>(type, bytes);
  take_as<MonitorToRouter>(type, bytes);
  take_as<RouterToMonitor>(type, bytes);
}

void take_datagram(Bytes bytes) {
  static auto ends = [] {
    std::array<int, 2> fds{};
    assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) == 0);
    return std::pair{io::Fd(fds[0]), std::move(io::Channel::adopt(io::Fd(fds[1])).value())};
  }();
  if (send(ends.first.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) < 0)
    return;  // larger than can be sent
  const auto received =
      ends.second.receive([](const io::Message& message) { take(message.type, message.bytes); });
  assert(received ? *received : !received.error().message.empty());
}

void take_handover(Bytes bytes) {
  const auto handover = decode_handover(bytes);
  if (!handover) {
    assert(!handover.error().message.empty());
    return;
  }
  assert(decode_handover(encode(*handover)));
  const auto loaded = conf::load_printed("the configuration in force", handover->configuration);
  assert(loaded.config || !loaded.diagnostics.render().empty());
}

bool begins_with(Bytes bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(data, size);
  if (begins_with(bytes, "DPIV")) {
    take_datagram(bytes);
  } else if (begins_with(bytes, "vipd-handov")) {
    take_handover(bytes);
  } else if (!bytes.empty() && bytes[0] == hold_type) {
    if (const auto state = read<HoldState>(bytes.subspan(1), ArchiveFormat::release_0_1)) use(*state);
  } else if (!bytes.empty() && bytes[0] == tagged_hold_type) {
    if (const auto state = read<HoldState>(bytes.subspan(1), ArchiveFormat::tagged)) use(*state);
  } else if (!bytes.empty()) {
    const std::uint16_t tag = (bytes[0] & tagged_byte) != 0 ? tagged_type : 0;
    take(tag | (bytes[0] & ~tagged_byte & 0xff), bytes.subspan(1));
  }
  return 0;
}
