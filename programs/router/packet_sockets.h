// What the classes that read packet sockets share: how they report and how they close.
#pragma once

#include <functional>

#include "io/fd.h"
#include "vrrp/input.h"

namespace vipd::programs {

// Takes a fact for the engine.
using ReportFact = std::function<void(vrrp::Input fact)>;

// Closes a packet socket that is no longer needed, elsewhere: the kernel takes up to a tenth of a second to
// close it under load.
using DiscardSocket = std::function<void(io::Fd socket)>;

}  // namespace vipd::programs
