#include "io/batch_send.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace vipd::io {

std::vector<int> send_in_batches(
    int fd, std::size_t count,
    const std::function<void(std::size_t slot, std::size_t i, msghdr& header, iovec& data)>& fill) {
  std::vector<int> verdicts(count, 0);
  std::array<mmsghdr, send_batch_size> messages;
  std::array<iovec, send_batch_size> data;
  for (std::size_t first = 0; first < count; first += send_batch_size) {
    const auto size = std::min(send_batch_size, count - first);
    for (std::size_t slot = 0; slot < size; ++slot) {
      messages[slot] = {};
      messages[slot].msg_hdr.msg_iov = &data[slot];
      messages[slot].msg_hdr.msg_iovlen = 1;
      fill(slot, first + slot, messages[slot].msg_hdr, data[slot]);
    }
    // The kernel stops at a failure, and returns its errno only if that message is the first: retry from it.
    for (std::size_t slot = 0; slot < size;) {
      const int sent =
          sendmmsg(fd, &messages[slot], static_cast<unsigned>(size - slot), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0)
        slot += static_cast<std::size_t>(sent);
      else if (errno != EINTR)
        verdicts[first + slot++] = errno;
    }
  }
  return verdicts;
}

}  // namespace vipd::io
