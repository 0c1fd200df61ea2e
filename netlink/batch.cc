#include "netlink/batch.h"

#include <algorithm>

#include "io/clock.h"

namespace vipd::netlink {

namespace {

// Takes the verdicts on the requests with sequence numbers from `first` on. What gets none keeps its result.
void collect(Socket& socket, std::span<Request> requests, std::span<Result<>> results, std::uint32_t first,
             TimePoint deadline) {
  for (std::size_t missing = requests.size(); missing > 0;) {
    const auto datagram = socket.receive(deadline);
    if (!datagram) return;
    auto left = static_cast<int>(datagram->size());
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(datagram->data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      const std::size_t i = message->nlmsg_seq - first;
      if (message->nlmsg_type != NLMSG_ERROR || i >= requests.size()) continue;
      const auto verdict = verdict_of(*message);
      results[i] = verdict.code == 0 ? Result<>{} : verdict_failure(requests[i].doing, verdict);
      --missing;
    }
  }
}

void transact_batch(Socket& socket, std::span<Request> requests, std::span<Result<>> results,
                    Duration bound) {
  std::vector<std::uint8_t> datagram;
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto sequence = socket.next_sequence();
    if (i == 0) first = sequence;
    const auto bytes = requests[i].finish(sequence, NLM_F_ACK);
    datagram.insert(datagram.end(), bytes.begin(), bytes.end());
    results[i] = system_failure(requests[i].doing + ": waiting for the kernel's answer", ETIMEDOUT);
  }
  if (const auto sent = socket.send(datagram); !sent) {
    for (std::size_t i = 0; i < requests.size(); ++i)
      results[i] = system_failure(requests[i].doing, sent.error().code);
    return;
  }
  collect(socket, requests, results, first, io::now() + bound);
}

}  // namespace

std::vector<Result<>> transact(Socket& socket, std::span<Request> requests, Duration bound) {
  std::vector<Result<>> results(requests.size());
  for (std::size_t first = 0; first < requests.size(); first += batch_size) {
    const auto count = std::min(batch_size, requests.size() - first);
    transact_batch(socket, requests.subspan(first, count), std::span(results).subspan(first, count), bound);
  }
  return results;
}

}  // namespace vipd::netlink
