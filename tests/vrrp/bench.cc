#include "tests/vrrp/bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/archive.h"
#include "vrrp/event_names.h"

namespace vipd::vrrp::test {

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Prefix prefix(std::string_view text) {
  return Prefix::parse(text).value();
}

MacAddress mac(std::string_view text) {
  return MacAddress::parse(text).value();
}

Bytes bytes_of_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

Bytes vector(const std::string& id) {
  static const auto vectors = [] {
    std::map<std::string, Bytes> result;
    std::ifstream file(SOURCE_DIR "/tests/vrrp/vectors.json");
    for (const auto& each : nlohmann::json::parse(file))
      result[each.at("id")] = bytes_of_hex(each.at("hex").get<std::string>());
    return result;
  }();
  const auto found = vectors.find(id);
  if (found == vectors.end()) throw std::runtime_error("no vector " + id);
  return found->second;
}

Frame frame(const Bytes& bytes) {
  Frame frame;
  std::copy_n(bytes.begin(), 6, frame.to.octets.begin());
  std::copy_n(bytes.begin() + 6, 6, frame.from.octets.begin());
  const std::span packet = std::span(bytes).subspan(14);
  if (bytes[12] == 0x08) {
    const std::size_t header = (packet[0] & 0x0fu) * 4u;
    frame.hop_limit = packet[8];
    frame.protocol = packet[9];
    frame.source = IpAddress::from_bytes(packet.subspan(12, 4));
    frame.destination = IpAddress::from_bytes(packet.subspan(16, 4));
    frame.payload.assign(packet.begin() + static_cast<std::ptrdiff_t>(header), packet.end());
  } else {
    frame.protocol = packet[6];
    frame.hop_limit = packet[7];
    frame.source = IpAddress::from_bytes(packet.subspan(8, 16));
    frame.destination = IpAddress::from_bytes(packet.subspan(24, 16));
    frame.payload.assign(packet.begin() + 40, packet.end());
  }
  return frame;
}

DatagramReceived datagram(const Frame& frame, const std::string& interface) {
  return {interface, frame.source, frame.destination, frame.hop_limit, frame.payload, false};
}

VirtualRouterConfig c4() {
  VirtualRouterConfig config;
  config.name = "edge";
  config.key = {"eth0", 51, Family::ipv4};
  config.addresses = {prefix("192.0.2.100/24")};
  return config;
}

VirtualRouterConfig c6() {
  auto config = c4();
  config.key.family = Family::ipv6;
  config.addresses = {prefix("fe80::51/64"), prefix("2001:db8::64/64")};
  return config;
}

Interface eth0() {
  Interface interface{"eth0", 2, true, true, 1500, mac("02:00:00:00:00:01"), {}};
  interface.addresses = {{prefix("192.0.2.1/24")}, {prefix("fe80::1/64")}};
  return interface;
}

Interface eth0(std::string_view first) {
  auto interface = eth0();
  const auto address = prefix(first);
  interface.addresses[address.address.family == Family::ipv4 ? 0 : 1] = {address};
  return interface;
}

DatagramReceived message(const Message& message) {
  const auto source = ip(message.source);
  Advertisement advertisement{
      message.vrid, static_cast<Priority>(message.priority), message.interval, {}, message.checksum, 0};
  for (const auto& text : message.addresses) advertisement.addresses.push_back(ip(text));
  if (message.addresses.empty())
    for (const auto& each : (source.family == Family::ipv4 ? c4() : c6()).addresses)
      advertisement.addresses.push_back(each.address);
  const auto& group = multicast_group(source.family);
  return {"eth0", source, group, 255, encode(advertisement, source, group), false};
}

namespace {
struct Describer {
  std::string operator()(const SendAdvertisement& each) const {
    return fmt::format("advert {}", each.priority);
  }
  std::string operator()(const Put& each) const { return "add " + to_string(each.resource); }
  std::string operator()(const Renew& each) const {
    std::vector<std::string> resources;
    for (const auto& one : each.resources) resources.push_back(to_string(one));
    return fmt::format("renew {}", fmt::join(resources, " "));
  }
  std::string operator()(const Drop& each) const { return "remove " + to_string(each.resource); }
  std::string operator()(const Announce& each) const { return "announce " + to_string(each.address); }
  std::string operator()(const StateChanged& each) const {
    return fmt::format("{} -> {}", to_string(each.from), to_string(each.to));
  }
  std::string operator()(const AdvertisementDiscarded& each) const {
    return fmt::format("discard {}", to_string(each.error));
  }
  std::string operator()(const Probe& each) const { return "probe " + to_string(each.address); }
  std::string operator()(const IdentifySender& each) const { return "identify " + to_string(each.sender); }
  std::string operator()(const Noted& each) const { return "note " + each.event; }
};
}  // namespace

std::string describe(const Action& action) {
  return std::visit(Describer{}, action);
}

namespace {
// In these tests nearly every message is the first one of its sender, so only tests about this event keep it.
bool is_about_presence(const Action& action) {
  const auto* const noted = std::get_if<Noted>(&action);
  return noted && (noted->event == events::peer_heard || noted->event == events::peer_lost);
}
}  // namespace

Lines describe(const Actions& actions) {
  Lines lines;
  for (const auto& action : actions)
    if (!is_about_presence(action)) lines.push_back(describe(action));
  return lines;
}

Bench::Bench(Interface interface) : link(std::move(interface)) {
  engine.step(now, InterfaceChanged{link});
}

Bench::Bench(std::vector<VirtualRouterConfig> routers, Interface interface) : Bench(std::move(interface)) {
  configure(std::move(routers));
}

bool Bench::apply(const Action& action) {
  auto& there = link.addresses;
  const auto find = [&](const Prefix& wanted) {
    return std::find_if(there.begin(), there.end(), [&](const auto& each) { return each.prefix == wanted; });
  };
  if (const auto* add = std::get_if<Put>(&action)) {
    const auto& prefix = std::get<VirtualAddress>(add->resource).prefix;
    if (find(prefix) != there.end()) return false;
    there.push_back({prefix, false, false, true});
    return true;
  }
  if (const auto* remove = std::get_if<Drop>(&action)) {
    const auto found = find(std::get<VirtualAddress>(remove->resource).prefix);
    if (found == there.end()) return false;
    there.erase(found);
    return true;
  }
  return false;
}

Lines Bench::step(const Input& event) {
  const auto actions = engine.step(now, event);
  auto lines = describe(actions);
  bool changed = false;
  for (const auto& action : actions) {
    log.emplace_back(now, action);
    if (const auto* advert = std::get_if<SendAdvertisement>(&action)) sent.emplace_back(now, *advert);
    if (kernel_obeys) changed |= apply(action);
  }
  if (changed)
    for (auto& line : step(InterfaceChanged{link})) lines.push_back(std::move(line));
  return lines;
}

Lines Bench::wait(Duration duration) {
  Lines lines;
  const auto until = now + duration;
  for (auto deadline = engine.next_deadline(); deadline && *deadline <= until;
       deadline = engine.next_deadline()) {
    now = std::max(now, *deadline);
    for (auto& line : step(Tick{})) lines.push_back(std::move(line));
  }
  now = until;
  return lines;
}

Lines Bench::wake_after(Duration duration) {
  now += duration;
  return step(Tick{});
}

Lines Bench::configure(std::vector<VirtualRouterConfig> routers, std::optional<Snapshot> adopted) {
  return step(ConfigReplaced{std::move(routers), std::move(adopted)});
}

Lines Bench::interface(const Interface& interface) {
  link = interface;
  return step(InterfaceChanged{link});
}

Lines Bench::hear(const char* vector_id, std::string_view source) {
  const auto address = ip(source);
  return step(
      DatagramReceived{"eth0", address, multicast_group(address.family), 255, vector(vector_id), false});
}

Lines Bench::check(const std::string& name, bool healthy) {
  return step(HealthChanged{{name, healthy, std::nullopt, healthy ? "200 OK" : "connection refused", now}});
}

Lines Bench::remove_by_hand(std::string_view address) {
  apply(Drop{{}, VirtualAddress{{}, prefix(address)}});
  return step(InterfaceChanged{link});
}

Lines Bench::add_by_hand(std::string_view address) {
  link.addresses.push_back({prefix(address)});
  return step(InterfaceChanged{link});
}

RouterStatus Bench::status(Family family) const {
  for (auto& router : engine.status(now).routers)
    if (router.config.key.family == family) return router;
  throw std::runtime_error("no virtual router of this family");
}

Duration Bench::timer(Family family) const {
  const auto deadline = status(family).deadline;
  return deadline ? *deadline - now : Duration::max();
}

std::uint64_t Bench::counted() const {
  std::uint64_t sum = 0;
  const auto add_all = [&](const DiscardCounters& counters) {
    for (const auto each : counters) sum += each;
  };
  const auto status = engine.status(now);
  for (const auto& [interface, counters] : status.discarded) add_all(counters);
  for (const auto& router : status.routers) {
    const auto& c = router.counters;
    add_all(c.discarded);
    sum += c.advertisements_sent + c.advertisements_received + c.priority_zero_sent +
           c.priority_zero_received + c.became_active + c.interval_mismatches + c.address_list_mismatches +
           c.trailing_bytes + c.reassertions + c.reassertions_suppressed + c.addresses_restored +
           c.address_claims;
  }
  return sum;
}

Bytes Bench::fingerprint() const {
  auto status = engine.status(now);
  status.discarded.clear();
  for (auto& router : status.routers) router.counters = {};
  auto bytes = to_bytes(status);
  for (const auto each : to_bytes(engine.next_deadline())) bytes.push_back(each);
  return bytes;
}

bool Bench::holds(std::string_view address) const {
  return std::any_of(link.addresses.begin(), link.addresses.end(),
                     [&](const auto& each) { return each.prefix.address == ip(address); });
}

}  // namespace vipd::vrrp::test
