// Recorder: keeps the last events of an engine in memory of a fixed size: a few bytes each, no system call,
// and no allocation for what happens all the time (ticks, and advertisements that were seen before).
//
// Two halves take turns. When one is full the other is cleared, and begins with a checkpoint: events that
// bring a new engine into the state of that moment. So at least half of the memory is always there to be
// replayed.
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

  // capacity: bytes, of both halves together.
  Recorder(std::size_t capacity, Checkpoint checkpoint);

  // Before the engine takes it.
  void record(TimePoint now, const vrrp::Input& event);

  // As it is, for decode().
  std::vector<std::uint8_t> contents() const;

 private:
  // What one half has: encoded entries, and the datagrams among them, by which later ones are abbreviated.
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

// What contents() gave, possibly in another process. An error says why not: another version, or damaged.
Result<Recording> decode(std::span<const std::uint8_t> contents);

}  // namespace vipd::record
