// The clocks of the kernel. Programs read them here and pass the time on as an argument; rules never read
// one.
#pragma once

#include "base/time.h"

namespace vipd::io {

TimePoint now();  // CLOCK_MONOTONIC: stands still while the machine is suspended

Duration boottime();  // CLOCK_BOOTTIME: since boot, the time of suspension included

}  // namespace vipd::io
