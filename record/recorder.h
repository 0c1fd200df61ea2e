// Recorder: keeps the most recent engine inputs in memory of a fixed size: a few bytes each, no system call,
// and no allocation for frequent inputs (ticks, and advertisements seen before).
//
// Two halves alternate. When one is full the other is cleared, and begins with a checkpoint: inputs that
// bring a new engine into the state of that moment. So at least half of the memory can always be replayed.
// Advertisements repeat, so each half keeps one copy of each: with 10 bytes instead of 90 for the next ones the memory
// reaches back nine times as far, and a hash finds the copy without a comparison with each.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "record/recording.h"

namespace vipd::record {

class Recorder {
 public:
  using Checkpoint = std::function<std::vector<vrrp::Input>()>;

  // capacity: bytes, for both halves together.
  Recorder(std::size_t capacity, Checkpoint checkpoint);

  // Call it before Engine::step gets the input.
  void record(TimePoint now, const vrrp::Input& event);

  // A copy of the memory, for decode().
  std::vector<std::uint8_t> contents() const;

 private:
  // The content of one half: encoded entries, and its datagrams, to which later entries refer by number.
  struct Half {
    std::vector<std::uint8_t> bytes;
    std::vector<vrrp::DatagramReceived> datagrams;
    std::unordered_map<std::uint64_t, std::uint8_t> by_hash;
    void clear();
  };

  void turn_over(TimePoint now);
  void append(TimePoint now, const vrrp::Input& event);
  bool append_known(TimePoint now, const vrrp::DatagramReceived& datagram);

  std::size_t half_size_;
  Checkpoint checkpoint_;
  std::array<Half, 2> halves_;
  std::size_t current_ = 0;
};

// Decodes contents(), possibly in another process. An Error has the reason: another version, or damaged.
Result<Recording> decode(std::span<const std::uint8_t> contents);

}  // namespace vipd::record
