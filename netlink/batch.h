// Batches: many requests in few system calls, each with its own result. A failed request affects no other.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "netlink/request.h"
#include "netlink/socket.h"

namespace vipd::netlink {

// Requests in one datagram: enough to make the cost of system calls negligible.
constexpr std::size_t batch_size = 64;

constexpr Duration no_budget = Duration::max();

// Sends the requests in batches, in order, and waits for the kernel's result of each. Returns one entry per
// request that was made. With a budget it makes as many as fit into that time at the pace so far, at least
// one, and leaves the rest to the next call: the caller's loop has other work, and 64 requests take between
// 0.2 ms and 0.2 s (one IPv6 address among thousands costs the kernel 1 to 3 ms, an IPv4 address 20 to 80
// us). A request without a result within `bound` fails with ETIMEDOUT.
std::vector<Result<>> transact(Socket& socket, std::span<Request> requests, Duration budget = no_budget,
                               Duration bound = std::chrono::seconds(2));

}  // namespace vipd::netlink
