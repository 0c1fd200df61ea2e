// The clocks of the kernel. Programs read them here and hand the time on as an argument; rules never do.
#pragma once

#include "base/time.h"

namespace vipd::io {

TimePoint now();  // CLOCK_MONOTONIC: stands still while the machine is suspended

Duration boottime();  // CLOCK_BOOTTIME: since boot, the time of suspension included

// How long the machine has been suspended since boot. It grows over a suspension and stays the same otherwise
// (but for the microsecond between reading two clocks), so a loop sees from it that it has been asleep.
Duration suspended_offset();

}  // namespace vipd::io
