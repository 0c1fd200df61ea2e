// RiseFall: how many results in a row it takes until a check is believed to be up or down. Pure counting.
//
// The very first result decides at once: at start there is nothing to protect from flapping, and a node whose
// service is dead must not take addresses for `fall` intervals. A state that is known from before (seed) is
// kept until enough results speak against it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace vipd::checks {

class RiseFall {
 public:
  RiseFall(int fall, int rise) : fall_(fall), rise_(rise) {}

  // Counts one result. True if the state has changed by it.
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

  // The state is known already. Nothing has been counted yet.
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
