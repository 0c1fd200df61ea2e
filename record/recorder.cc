#include "record/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vipd::record {

namespace {
// The beginning of contents(). Its last byte is the version of the format: 2 has engine inputs in the tagged
// format, 1 in that of release 0.1, which vipctl reads from a vipd that is not yet upgraded.
constexpr std::array<std::uint8_t, 8> magic{'v', 'i', 'p', 'd', 'r', 'e', 'c', 2};
constexpr std::uint8_t version_of_release_0_1 = 1;

// An entry: its kind, the time, and the data of the kind.
enum class Kind : std::uint8_t {
  tick,
  known_datagram,  // its number in this half
  datagram,        // size and archive of a vrrp::DatagramReceived, which gets the next free number, if any
  event,           // size and archive of any vrrp::Input
  half_ends,       // numbers restart
};

constexpr std::size_t most_datagrams = 256;
constexpr std::size_t head_size = 1 + sizeof(std::int64_t);

void append_raw(std::vector<std::uint8_t>& bytes, const auto& value) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(&value);
  bytes.insert(bytes.end(), begin, begin + sizeof value);
}

void append_head(std::vector<std::uint8_t>& bytes, Kind kind, TimePoint when) {
  bytes.push_back(static_cast<std::uint8_t>(kind));
  append_raw(bytes, static_cast<std::int64_t>(when.time_since_epoch().count()));
}

void append_sized(std::vector<std::uint8_t>& bytes, std::span<const std::uint8_t> archive) {
  append_raw(bytes, static_cast<std::uint32_t>(archive.size()));
  bytes.insert(bytes.end(), archive.begin(), archive.end());
}

// FNV-1a. A collision only costs space.
std::uint64_t hash_of(const vrrp::DatagramReceived& datagram) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::span<const std::uint8_t> bytes) {
    for (const auto each : bytes) hash = (hash ^ each) * 0x100000001b3;
  };
  add(datagram.source.bytes());
  add(datagram.payload);
  return hash;
}

bool same(const vrrp::DatagramReceived& left, const vrrp::DatagramReceived& right) {
  return left.payload == right.payload && left.source == right.source &&
         left.destination == right.destination && left.hop_limit == right.hop_limit &&
         left.truncated == right.truncated && left.interface == right.interface;
}

// Reads values from the front of the bytes; returns nothing once too few are left.
class Cursor {
 public:
  explicit Cursor(std::span<const std::uint8_t> bytes) : rest_(bytes) {}
  bool at_end() const { return rest_.empty(); }
  std::optional<std::span<const std::uint8_t>> take(std::size_t size) {
    if (size > rest_.size()) return std::nullopt;
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  template <class T>
  std::optional<T> value() {
    const auto bytes = take(sizeof(T));
    if (!bytes) return std::nullopt;
    T result{};
    std::memcpy(&result, bytes->data(), sizeof result);
    return result;
  }
  std::optional<std::span<const std::uint8_t>> sized() {
    const auto size = value<std::uint32_t>();
    return size ? take(*size) : std::nullopt;
  }

 private:
  std::span<const std::uint8_t> rest_;
};
}  // namespace

void Recorder::Half::clear() {
  bytes.clear();
  datagrams.clear();
  by_hash.clear();
}

Recorder::Recorder(std::size_t capacity, Checkpoint checkpoint)
    : half_size_(capacity / 2), checkpoint_(std::move(checkpoint)) {
  for (auto& half : halves_) {
    half.bytes.reserve(half_size_);
    half.datagrams.reserve(most_datagrams);
    half.by_hash.reserve(most_datagrams);
  }
}

void Recorder::record(TimePoint now, const vrrp::Input& event) {
  if (halves_[current_].bytes.size() + head_size + 1 > half_size_) turn_over(now);
  if (std::holds_alternative<vrrp::Tick>(event)) return append_head(halves_[current_].bytes, Kind::tick, now);
  if (const auto* datagram = std::get_if<vrrp::DatagramReceived>(&event))
    if (append_known(now, *datagram)) return;
  append(now, event);
}

void Recorder::turn_over(TimePoint now) {
  current_ = 1 - current_;
  halves_[current_].clear();
  for (const auto& event : checkpoint_()) append(now, event);
}

bool Recorder::append_known(TimePoint now, const vrrp::DatagramReceived& datagram) {
  auto& half = halves_[current_];
  const auto known = half.by_hash.find(hash_of(datagram));
  if (known == half.by_hash.end() || !same(half.datagrams[known->second], datagram)) return false;
  append_head(half.bytes, Kind::known_datagram, now);
  half.bytes.push_back(known->second);
  return true;
}

void Recorder::append(TimePoint now, const vrrp::Input& event) {
  const auto* datagram = std::get_if<vrrp::DatagramReceived>(&event);
  const auto archive = datagram ? to_bytes(*datagram) : to_bytes(event);
  // The input may be larger than the rest of the half. A whole half always has room for a checkpoint and
  // more, unless there are tens of thousands of addresses; then this half is larger for a while.
  auto* half = &halves_[current_];
  append_head(half->bytes, datagram ? Kind::datagram : Kind::event, now);
  append_sized(half->bytes, archive);
  if (!datagram || half->datagrams.size() >= most_datagrams) return;
  half->by_hash.emplace(hash_of(*datagram), static_cast<std::uint8_t>(half->datagrams.size()));
  half->datagrams.push_back(*datagram);
}

std::vector<std::uint8_t> Recorder::contents() const {
  const auto& older = halves_[1 - current_];
  const auto& newer = halves_[current_];
  std::vector<std::uint8_t> result(magic.begin(), magic.end());
  result.reserve(magic.size() + older.bytes.size() + newer.bytes.size() + head_size);
  result.insert(result.end(), older.bytes.begin(), older.bytes.end());
  if (!older.bytes.empty()) append_head(result, Kind::half_ends, TimePoint{});
  result.insert(result.end(), newer.bytes.begin(), newer.bytes.end());
  return result;
}

Result<Recording> decode(std::span<const std::uint8_t> contents) {
  if (contents.size() < magic.size() || !std::equal(magic.begin(), magic.end() - 1, contents.begin()))
    return failure("this is not a recording of vipd-router");
  const auto version = contents[magic.size() - 1];
  if (version != magic.back() && version != version_of_release_0_1)
    return failure(
        fmt::format("the recording has version {} of the format, but this vipctl reads versions {} and {}: "
                    "use the vipctl that belongs to the running vipd",
                    version, version_of_release_0_1, magic.back()));
  const auto format = version == version_of_release_0_1 ? ArchiveFormat::release_0_1 : ArchiveFormat::tagged;
  const auto damaged = failure("the recording is damaged: use the vipctl that belongs to the running vipd");
  Cursor cursor(contents.subspan(magic.size()));
  Recording recording;
  std::vector<vrrp::DatagramReceived> datagrams;
  bool in_checkpoint = false;
  while (!cursor.at_end()) {
    const auto kind = cursor.value<std::uint8_t>();
    const auto time = cursor.value<std::int64_t>();
    if (!kind || !time) return damaged;
    const TimePoint when{Duration{*time}};
    if (when > TimePoint{ArchiveBounds::furthest} || when < TimePoint{-ArchiveBounds::furthest})
      return damaged;
    switch (static_cast<Kind>(*kind)) {
      case Kind::tick: recording.entries.push_back({when, vrrp::Tick{}}); break;
      case Kind::known_datagram: {
        const auto number = cursor.value<std::uint8_t>();
        if (!number || *number >= datagrams.size()) return damaged;
        recording.entries.push_back({when, datagrams[*number]});
        break;
      }
      case Kind::datagram: {
        const auto bytes = cursor.sized();
        if (!bytes) return damaged;
        auto datagram = TRY(from_bytes<vrrp::DatagramReceived>(*bytes, format));
        if (datagrams.size() < most_datagrams) datagrams.push_back(datagram);
        recording.entries.push_back({when, std::move(datagram)});
        break;
      }
      case Kind::event: {
        const auto bytes = cursor.sized();
        if (!bytes) return damaged;
        auto event = TRY(from_bytes<vrrp::Input>(*bytes, format));
        // The checkpoint of the newer half repeats what the older half contains.
        const bool of_checkpoint = in_checkpoint && (std::holds_alternative<vrrp::InterfaceChanged>(event) ||
                                                     std::holds_alternative<vrrp::ConfigReplaced>(event));
        if (in_checkpoint && std::holds_alternative<vrrp::ConfigReplaced>(event)) in_checkpoint = false;
        if (!of_checkpoint) recording.entries.push_back({when, std::move(event)});
        break;
      }
      case Kind::half_ends:
        datagrams.clear();
        in_checkpoint = true;
        break;
      default: return damaged;
    }
  }
  return recording;
}

}  // namespace vipd::record
