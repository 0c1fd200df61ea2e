#include "io/fd.h"

#include <unistd.h>

namespace vipd::io {

void Fd::reset(int fd) {
  // EINTR and EIO of close() can be ignored: on Linux the descriptor is free in any case.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace vipd::io
