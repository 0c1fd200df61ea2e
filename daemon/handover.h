// Handover: what a guardian leaves to the program that takes its place in the same process, by execve
// (`vipctl upgrade`): the configuration in force, its two programs, and the descriptors that must stay open.
// The router and the monitor do not notice; they are replaced afterwards, one by one.
//
// It travels in a sealed memory file, whose beginning says in which format it is written: another version of
// vipd may read it, and must refuse what it does not know. The descriptors are numbers of this process.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/time.h"
#include "io/fd.h"

namespace vipd::daemon {

// To be raised with every change of Handover, of HoldState or of what is in them: a router of one version
// adopts what one of the other has kept. tests/daemon/handover_test.cc notices when it was forgotten.
constexpr std::uint32_t handover_format = 2;

struct HandedProgram {
  std::int32_t pid = 0;
  std::int32_t channel = -1;  // our end
  TimePoint started{};
  std::uint32_t restarts = 0;
};

struct Handover {
  std::string version;        // of the program that leaves
  std::string configuration;  // as conf::print has it
  TimePoint started{};
  std::int32_t lock = -1;     // of the run directory
  std::int32_t control = -1;  // listening
  std::int32_t hold = -1;
  std::vector<std::int32_t> claims;
  HandedProgram router;
  HandedProgram monitor;
  std::vector<std::int32_t> ending;  // processes that were killed and must be reaped
};

std::vector<std::uint8_t> encode(const Handover& handover);
// EPROTO: it is none, or of a format that this program does not know; the message says so.
Result<Handover> decode_handover(std::span<const std::uint8_t> bytes);

// The same, in a sealed memory file.
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

}  // namespace vipd::daemon
