// Handover: the state that a guardian hands over to the program that replaces it in the same process by
// execve (`vipctl upgrade`): the configuration in force, its two programs, and the descriptors that must stay
// open. The router and the monitor are not affected; they are replaced afterwards, one by one.
//
// It is in a sealed memory file that starts with the number of its format: another version of vipd may read
// it, and must refuse an unknown format. The descriptors are numbers of this process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/time.h"
#include "io/fd.h"

namespace vipd::programs {

// Increment it with every change of Handover, of HoldState or of their parts: a router of one version adopts
// the state of a router of the other. tests/programs/guardian/handover_test.cc fails if this was forgotten.
constexpr std::uint32_t handover_format = 2;

struct HandedProgram {
  std::int32_t pid = 0;
  std::int32_t channel = -1;  // the end of the guardian
  TimePoint started{};
  std::uint32_t restarts = 0;
};

struct Handover {
  std::string version;        // of the program that hands over
  std::string configuration;  // as printed by conf::print
  TimePoint started{};
  std::int32_t lock = -1;     // of the run directory
  std::int32_t control = -1;  // listening
  std::int32_t hold = -1;
  std::vector<std::int32_t> claims;
  HandedProgram router;
  HandedProgram monitor;
  std::vector<std::int32_t> ending;  // killed processes that must be reaped
};

std::vector<std::uint8_t> encode(const Handover& handover);
// EPROTO: not a handover state, or one of an unknown format; the message has the reason.
Result<Handover> decode_handover(std::span<const std::uint8_t> bytes);

// The same for a sealed memory file.
Result<io::Fd> pack(const Handover& handover);
Result<Handover> unpack(int fd);

// Whether descriptors survive execve.
Result<> keep_open(const std::vector<int>& fds, bool keep);

template <class A>
void fields(A& a, Is<HandedProgram> auto& p) {
  a(p.pid, p.channel, p.started, p.restarts);
}
template <class A>
void fields(A& a, Is<Handover> auto& h) {
  a(h.version, h.configuration, h.started, h.lock, h.control, h.hold, h.claims, h.router, h.monitor,
    h.ending);
}

}  // namespace vipd::programs
