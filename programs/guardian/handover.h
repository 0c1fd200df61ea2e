// Handover: the state that a guardian hands over to the program that replaces it in the same process by
// execve (`vipctl upgrade`): the configuration in force, its two programs, and the descriptors that must stay
// open. The router and the monitor are not affected; they are replaced afterwards, one by one.
//
// It is in a sealed memory file that starts with the number of its format: another version of vipd reads it,
// and refuses an unknown format. The descriptors are numbers of this process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/archive.h"
#include "base/time.h"
#include "io/fd.h"

namespace vipd::programs {

// The state, the hold and the messages of the two programs in the tagged format. Fields come and go without
// another number (base/archive.h); tests/released has the bytes of each release, which must remain readable.
constexpr std::uint32_t handover_format = 3;
// The same without tags, as release 0.1 writes it. Only read.
constexpr std::uint32_t handover_format_of_release_0_1 = 2;

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
  // The one that it was in, which is the one that the two programs use too.
  ArchiveFormat format = ArchiveFormat::tagged;
};

std::vector<std::uint8_t> encode(const Handover& handover);
// EPROTO: not a handover state, or one of an unknown format; the message has the reason.
Result<Handover> decode_handover(std::span<const std::uint8_t> bytes);

// The same for a sealed memory file.
Result<io::Fd> pack(const Handover& handover);
Result<Handover> unpack(int fd);

// Whether a version is later than another, by their numbers: "0.10.0" is later than "0.9.2".
bool is_later(std::string_view version, std::string_view than);

// Whether descriptors survive execve.
Result<> keep_open(const std::vector<int>& fds, bool keep);

template <class A>
constexpr void fields(A& a, Is<HandedProgram> auto& p) {
  a("pid", p.pid)("channel", p.channel)("started", p.started)("restarts", p.restarts);
}
template <class A>
constexpr void fields(A& a, Is<Handover> auto& h) {
  a("version", h.version)("configuration", h.configuration)("started", h.started)("lock", h.lock)(
      "control", h.control)("hold", h.hold)("claims", h.claims)("router", h.router)("monitor", h.monitor)(
      "ending", h.ending);
}

}  // namespace vipd::programs
