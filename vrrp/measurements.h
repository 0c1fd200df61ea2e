// What is measured of one virtual router while its program runs. For metrics only: the protocol uses none of
// it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/archive.h"
#include "base/histogram.h"

namespace vipd::vrrp {

// Why this node became Active (compare RFC 6527, vrrpv3StatisticsNewMasterReason).
enum class Reason : std::uint8_t {
  no_active,    // no Active was heard since the start, or none took over after a switch
  owner,        // the addresses are its own
  better,       // the Active advertised a lower priority than ours
  farewell,     // the Active has left
  silence,      // the Active has fallen silent
  false_claim,  // the router that had claimed to be Active was not heard again
};
constexpr std::size_t reason_count = 6;
std::string_view to_string(Reason reason);  // "no_active"

struct Measurements {
  Histogram lateness;  // of advertisements: how long after Adver_Timer they were sent
  Histogram jitter;    // of advertisements heard from the Active that is followed: their distance against its
                       // interval
  Histogram failover;  // from the last advertisement of an Active that fell silent to becoming Active
  Histogram handover;  // from an Active's farewell to becoming Active
  std::array<std::uint64_t, reason_count> became_active{};  // by Reason
  bool operator==(const Measurements&) const = default;
};

template <class A>
constexpr void fields(A& a, Is<Measurements> auto& m) {
  a("lateness", m.lateness)("jitter", m.jitter)("failover", m.failover)("handover", m.handover)(
      "became_active", m.became_active);
}

}  // namespace vipd::vrrp
