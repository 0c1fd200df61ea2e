// Batches: many requests in few system calls, each with its own verdict. A request that fails harms no other.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "netlink/request.h"
#include "netlink/socket.h"

namespace vipd::netlink {

// Requests in one datagram: enough that system calls do not count, few enough that the caller's loop is not
// held up for long (64 addresses: about 5 ms at worst).
constexpr std::size_t batch_size = 64;

// Sends all requests in batches, in order, and waits for the kernel's verdict on each. The result has one
// entry per request. A request without a verdict within `bound` has failed with ETIMEDOUT.
std::vector<Result<>> transact(Socket& socket, std::span<Request> requests,
                               Duration bound = std::chrono::seconds(2));

}  // namespace vipd::netlink
