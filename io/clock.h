// The clocks of the kernel. Programs read them here and pass the time on as an argument; rules never read
// one.
#pragma once

#include "base/time.h"

namespace vipd::io {

TimePoint now();  // CLOCK_MONOTONIC: stands still while the machine is suspended

Duration boottime();  // CLOCK_BOOTTIME: since boot, the time of suspension included

// How long the machine has been suspended since boot. It grows with each suspension and is otherwise constant
// (except for the microsecond between reading two clocks), so a loop detects by it that it has been asleep.
Duration suspended_offset();

}  // namespace vipd::io
