#include "daemon/hold.h"

#include <algorithm>
#include <cstring>

namespace vipd::daemon {

namespace {
constexpr std::size_t most_routers = 16384;
constexpr std::size_t copy_size = 16 << 20;  // memory is used only as far as it is written
}  // namespace

struct Hold::Header {
  std::atomic<std::int64_t> beat;
  std::atomic<std::uint32_t> current;  // 0: nothing written; 1 or 2: that copy is whole
  std::atomic<std::uint64_t> sizes[2];
  std::atomic<std::int64_t> deadlines[most_routers];
};

Result<Hold> Hold::create() {
  return Hold(TRY(io::SharedMemory::create("vipd-hold", sizeof(Header) + 2 * copy_size)));
}

Result<Hold> Hold::adopt(io::Fd fd) {
  return Hold(TRY(io::SharedMemory::adopt(std::move(fd), sizeof(Header) + 2 * copy_size)));
}

Hold::Header& Hold::header() const {
  return memory_.as<Header>();
}

Result<> Hold::write(const HoldState& state) {
  const auto bytes = to_bytes(state);
  if (bytes.size() > copy_size || state.snapshot.routers.size() > most_routers)
    return failure("the state is too large to be kept for a successor", ENOSPC);
  const std::uint32_t copy = header().current.load() == 1 ? 1 : 0;
  std::memcpy(memory_.bytes().data() + sizeof(Header) + copy * copy_size, bytes.data(), bytes.size());
  header().sizes[copy].store(bytes.size());
  for (std::size_t i = 0; i < state.snapshot.routers.size(); ++i)
    set_deadline(i, state.snapshot.routers[i].deadline);
  header().current.store(copy + 1, std::memory_order_release);
  return {};
}

void Hold::set_deadline(std::size_t router, TimePoint deadline) {
  if (router < most_routers)
    header().deadlines[router].store(deadline.time_since_epoch().count(), std::memory_order_relaxed);
}

void Hold::beat(TimePoint now) {
  header().beat.store(now.time_since_epoch().count(), std::memory_order_relaxed);
}

TimePoint Hold::last_beat() const {
  return TimePoint{Duration{header().beat.load(std::memory_order_relaxed)}};
}

std::optional<HoldState> Hold::read() const {
  const auto current = header().current.load(std::memory_order_acquire);
  if (current != 1 && current != 2) return std::nullopt;
  const auto size = std::min<std::uint64_t>(header().sizes[current - 1].load(), copy_size);
  const auto* begin = reinterpret_cast<const std::uint8_t*>(memory_.bytes().data()) + sizeof(Header) +
                      (current - 1) * copy_size;
  auto state = from_bytes<HoldState>({begin, size});
  if (!state) return std::nullopt;
  auto& routers = state->snapshot.routers;
  for (std::size_t i = 0; i < routers.size() && i < most_routers; ++i)
    routers[i].deadline = TimePoint{Duration{header().deadlines[i].load(std::memory_order_relaxed)}};
  return std::move(*state);
}

void Hold::clear() {
  header().current.store(0);
}

}  // namespace vipd::daemon
