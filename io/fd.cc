#include "io/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace vipd::io {

void Fd::reset(int fd) {
  // EINTR and EIO of close() can be ignored: on Linux the descriptor is free in any case.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Fd> Fd::duplicate() const {
  Fd copy(::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
  if (!copy) return system_failure("duplicating a descriptor");
  return copy;
}

}  // namespace vipd::io
