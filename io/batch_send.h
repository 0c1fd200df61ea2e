// sendmmsg with one result per datagram: shared by AdvertSocket and AnnounceSocket.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace vipd::io {

constexpr std::size_t send_batch_size = 64;

// Sends `count` datagrams without blocking. fill(slot, i, header, data) fills in datagram i; what it points
// to must stay valid until the same slot (less than send_batch_size) is filled again. Returns one errno each,
// 0 if it was sent.
std::vector<int> send_in_batches(
    int fd, std::size_t count,
    const std::function<void(std::size_t slot, std::size_t i, msghdr& header, iovec& data)>& fill);

}  // namespace vipd::io
