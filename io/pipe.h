// A pipe from which this program reads what a child writes.
#pragma once

#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

struct Pipe {
  Fd ours;    // the reading end, non-blocking
  Fd theirs;  // the writing end, for the child
};

// EMFILE, ENFILE: no descriptor is left. Both ends are closed on exec.
Result<Pipe> make_pipe();

}  // namespace vipd::io
