#include "io/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace vipd::io {

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("creating a pipe");
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return system_failure("making a pipe non-blocking");
  return pipe;
}

}  // namespace vipd::io
