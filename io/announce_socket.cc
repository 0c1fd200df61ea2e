#include "io/announce_socket.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "io/batch_send.h"

namespace vipd::io {

Result<AnnounceSocket> AnnounceSocket::open() {
  Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("opening the announcement socket");
  // Room for some thousand announcements, and priority over other traffic. Failures of both are ignored.
  const int buffer = 4 << 20;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) != 0)
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  const int priority = TC_PRIO_CONTROL;
  setsockopt(fd.get(), SOL_SOCKET, SO_PRIORITY, &priority, sizeof priority);
  return AnnounceSocket(std::move(fd));
}

std::vector<int> AnnounceSocket::send(std::span<const Frame> frames) {
  std::array<sockaddr_ll, send_batch_size> destinations{};
  return send_in_batches(
      fd_.get(), frames.size(), [&](std::size_t slot, std::size_t i, msghdr& header, iovec& data) {
        const auto& frame = frames[i];
        auto& destination = destinations[slot];
        destination = {};
        destination.sll_family = AF_PACKET;
        destination.sll_ifindex = static_cast<int>(frame.interface_index);
        if (frame.bytes.size() >= ETH_HLEN) {
          destination.sll_halen = ETH_ALEN;
          std::memcpy(destination.sll_addr, frame.bytes.data(), ETH_ALEN);
          std::memcpy(&destination.sll_protocol, frame.bytes.data() + std::size_t{2} * ETH_ALEN,
                      sizeof destination.sll_protocol);
        }
        header.msg_name = &destination;
        header.msg_namelen = sizeof destination;
        data = {const_cast<std::uint8_t*>(frame.bytes.data()), frame.bytes.size()};
      });
}

}  // namespace vipd::io
