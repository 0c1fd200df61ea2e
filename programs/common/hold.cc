#include "programs/common/hold.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vipd::programs {

namespace {
constexpr std::size_t most_routers = 16384;
constexpr std::size_t copy_size = 16 << 20;  // only written pages use memory

// A copy in the tagged format begins with this. A copy of release 0.1 begins with the number of its routers,
// which is never as large: 0x64706976, read as a number.
struct CopyHead {
  static constexpr std::array<char, 4> magic{'v', 'i', 'p', 'd'};
  std::array<char, 4> begin = magic;
  std::uint32_t format = 1;
};
}  // namespace

// Release 0.1 has the same header: a guardian reads what a router of that release has written, and the
// reverse.
struct Hold::Header {
  std::atomic<std::int64_t> beat;
  std::atomic<std::uint64_t>
      version;  // 0: nothing written; odd: the first copy is complete, even: the second
  std::atomic<std::uint64_t> sizes[2];
  std::atomic<std::uint64_t> routers;
  std::atomic<std::int64_t> deadlines[most_routers];
  std::atomic<std::int64_t> overdue[most_routers];
  std::atomic<std::uint64_t> held_version;  // the numbers of `held` are those of this version; 0: none
  std::atomic<std::int64_t> held[most_routers];
};

namespace {
std::int64_t number(TimePoint time) {
  return time.time_since_epoch().count();
}

// The router may have written past these bounds of an archive.
TimePoint time_of(const std::atomic<std::int64_t>& number) {
  const TimePoint time{Duration{number.load(std::memory_order_relaxed)}};
  if (time == never) return never;
  return std::clamp(time, TimePoint{-ArchiveBounds::furthest}, TimePoint{ArchiveBounds::furthest});
}

std::size_t copy_of(std::uint64_t version) {
  return version % 2 == 1 ? 0 : 1;
}
}  // namespace

Result<Hold> Hold::create() {
  return Hold(TRY(io::SharedMemory::create("vipd-hold", sizeof(Header) + 2 * copy_size)));
}

Result<Hold> Hold::adopt(io::Fd fd) {
  return Hold(TRY(io::SharedMemory::adopt(std::move(fd), sizeof(Header) + 2 * copy_size)));
}

Hold::Header& Hold::header() const {
  return memory_.as<Header>();
}

// --- the router ---

Result<> Hold::write(const HoldState& state, ArchiveFormat format) {
  bytes_ = to_bytes(state, format, std::move(bytes_));
  const auto& routers = state.snapshot.routers;
  const auto head = format == ArchiveFormat::tagged ? sizeof(CopyHead) : 0;
  if (head + bytes_.size() > copy_size || routers.size() > most_routers)
    return failure("the state is too large to keep for a successor", ENOSPC);
  version_ = header().version.load() + 1;
  auto* place = memory_.bytes().data() + sizeof(Header) + copy_of(version_) * copy_size;
  const CopyHead tagged;
  std::memcpy(place, &tagged, head);
  std::memcpy(place + head, bytes_.data(), bytes_.size());
  header().sizes[copy_of(version_)].store(head + bytes_.size());
  order_.clear();
  for (const auto& router : routers) {
    set_deadline(order_.size(), router.deadline, never);
    order_.push_back(router.key);
  }
  header().routers.store(routers.size());
  header().version.store(version_, std::memory_order_release);
  return {};
}

void Hold::set_deadline(std::size_t router, TimePoint deadline, TimePoint overdue) {
  if (router >= most_routers) return;
  header().deadlines[router].store(number(deadline), std::memory_order_relaxed);
  header().overdue[router].store(number(overdue), std::memory_order_relaxed);
}

void Hold::beat(TimePoint now) {
  header().beat.store(number(now), std::memory_order_relaxed);
}

std::vector<std::pair<vrrp::RouterKey, TimePoint>> Hold::take_held() {
  std::vector<std::pair<vrrp::RouterKey, TimePoint>> taken;
  if (header().held_version.load(std::memory_order_relaxed) == 0) return taken;
  if (header().held_version.exchange(0, std::memory_order_acquire) != version_) return taken;
  for (std::size_t i = 0; i < order_.size(); ++i)
    if (const auto due = time_of(header().held[i]); due != TimePoint{}) taken.emplace_back(order_[i], due);
  return taken;
}

// --- the guardian ---

TimePoint Hold::last_beat() const {
  return time_of(header().beat);
}

TimePoint Hold::overdue() const {
  if (header().version.load(std::memory_order_acquire) == 0) return never;
  TimePoint earliest = never;
  const auto routers = std::min<std::uint64_t>(header().routers.load(), most_routers);
  for (std::size_t i = 0; i < routers; ++i) earliest = std::min(earliest, time_of(header().overdue[i]));
  return earliest;
}

void Hold::held(const vrrp::RouterKey& router, TimePoint due) {
  if (header().held_version.load() != version_)
    for (std::size_t i = 0; i < order_.size(); ++i) header().held[i].store(0, std::memory_order_relaxed);
  const auto place = std::find(order_.begin(), order_.end(), router);
  if (place == order_.end()) return;
  header().held[place - order_.begin()].store(number(due), std::memory_order_relaxed);
  header().held_version.store(version_, std::memory_order_release);
}

// A router that was only late may write while we read: then read again.
std::optional<HoldState> Hold::read() {
  for (int tries = 0; tries < 3; ++tries) {
    std::uint64_t version = 0;
    auto state = read_once(version);
    if (version != header().version.load(std::memory_order_acquire)) continue;
    if (!state) return std::nullopt;
    version_ = version;
    order_.clear();
    for (const auto& router : state->snapshot.routers) order_.push_back(router.key);
    return state;
  }
  return std::nullopt;
}

std::optional<HoldState> Hold::read_once(std::uint64_t& version) const {
  version = header().version.load(std::memory_order_acquire);
  if (version == 0) return std::nullopt;
  const auto copy = copy_of(version);
  const auto size = std::min<std::uint64_t>(header().sizes[copy].load(), copy_size);
  const auto* begin =
      reinterpret_cast<const std::uint8_t*>(memory_.bytes().data()) + sizeof(Header) + copy * copy_size;
  std::span<const std::uint8_t> bytes(begin, size);
  CopyHead head{};
  head.begin = {};
  if (size >= sizeof head) std::memcpy(&head, begin, sizeof head);
  const bool tagged = head.begin == CopyHead::magic;
  if (tagged && head.format != CopyHead{}.format) return std::nullopt;
  if (tagged) bytes = bytes.subspan(sizeof head);
  auto state = from_bytes<HoldState>(bytes, tagged ? ArchiveFormat::tagged : ArchiveFormat::release_0_1);
  if (!state) return std::nullopt;
  auto& routers = state->snapshot.routers;
  if (routers.size() > most_routers) return std::nullopt;
  // They may be newer than the state; each is valid as it was written.
  for (std::size_t i = 0; i < routers.size(); ++i)
    if (const auto newest = time_of(header().deadlines[i]);
        newest != never || routers[i].state == vrrp::StateName::initialize)
      routers[i].deadline = newest;
  std::atomic_thread_fence(std::memory_order_acquire);
  return std::move(*state);
}

void Hold::clear() {
  header().version.store(0);
}

}  // namespace vipd::programs
