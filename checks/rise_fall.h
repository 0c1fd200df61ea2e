// RiseFall: counts how many consecutive results turn a check up or down.
//
// The very first result decides at once: at start there is no flapping to guard against, and a node whose
// service is dead must not take addresses for `fall` intervals. A state known from before (seed) is kept
// until enough results contradict it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace vipd::checks {

class RiseFall {
 public:
  RiseFall(int fall, int rise) : fall_(fall), rise_(rise) {}

  // Counts one result. Returns true if it has changed the state.
  bool record(bool success) {
    if (success != last_) in_a_row_ = 0;
    last_ = success;
    if (in_a_row_ < UINT32_MAX) ++in_a_row_;
    const bool enough = in_a_row_ >= static_cast<std::uint32_t>(success ? rise_ : fall_);
    if (known_ && (healthy_ == success || !enough)) return false;
    known_ = true;
    healthy_ = success;
    return true;
  }

  // Sets a known state. Nothing has been counted yet.
  void seed(bool healthy) {
    known_ = true;
    healthy_ = healthy;
    in_a_row_ = 0;
  }

  std::optional<bool> healthy() const {  // empty: no result yet
    if (!known_) return std::nullopt;
    return healthy_;
  }
  std::uint32_t successes_in_a_row() const { return last_ ? in_a_row_ : 0; }
  std::uint32_t failures_in_a_row() const { return last_ ? 0 : in_a_row_; }

 private:
  int fall_;
  int rise_;
  bool known_ = false;
  bool healthy_ = false;
  bool last_ = false;
  std::uint32_t in_a_row_ = 0;
};

}  // namespace vipd::checks
