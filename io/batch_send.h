// sendmmsg with one verdict per datagram: what AdvertSocket and AnnounceSocket share.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace vipd::io {

constexpr std::size_t send_batch_size = 64;

// Sends `count` datagrams without blocking. fill(slot, i, header, data) says what datagram i is; what it
// points to must live as long as slot (less than send_batch_size) is not filled again. One errno each, 0 for
// sent.
std::vector<int> send_in_batches(
    int fd, std::size_t count,
    const std::function<void(std::size_t slot, std::size_t i, msghdr& header, iovec& data)>& fill);

}  // namespace vipd::io
