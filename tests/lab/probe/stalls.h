// Stalls of the machine: while it stands still nothing can be said about the programs under test.
#pragma once

#include <sched.h>
#include <sys/prctl.h>

#include <thread>

#include <fmt/format.h>

#include "tests/lab/probe/loop.h"

namespace lab_probe {

constexpr Nanoseconds notable_stall = 3 * millisecond;

// A thread that should wake up every millisecond, on one processor: other processors may be free while a thread of
// higher priority occupies this one.
inline void watch_for_stalls(unsigned processor) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(processor, &here);
  sched_setaffinity(0, sizeof here, &here);  // where that is refused, one more thread looks anywhere
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    const Nanoseconds wanted = now() + millisecond;
    timespec until{wanted / 1'000'000'000, wanted % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    const Nanoseconds overrun = now() - wanted;
    if (overrun >= notable_stall) output.line(fmt::format("s {} {}", wanted + overrun, overrun));
  }
}

// At ordinary priority, like the programs under test, a load of the test's own is a stall as well.
enum class Priority { ordinary, real_time };

inline void watch_all_processors(Priority priority) {
  for (unsigned each = 0; each < std::thread::hardware_concurrency(); ++each)
    std::thread([each, priority] {
      if (priority == Priority::real_time) ask_for_priority();
      watch_for_stalls(each);
    }).detach();
}

}  // namespace lab_probe
