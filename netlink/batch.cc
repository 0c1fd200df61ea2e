#include "netlink/batch.h"

#include <algorithm>

#include "io/clock.h"
#include "netlink/attribute.h"

namespace vipd::netlink {

namespace {

constexpr std::size_t first_limited_size = 4;  // while the speed of the kernel is unknown

// Receives the verdicts on the requests numbered from `first` on. A request without one keeps its result.
void collect(Socket& socket, std::span<Request> requests, std::span<Result<>> results, std::uint32_t first,
             TimePoint deadline) {
  for (std::size_t missing = requests.size(); missing > 0;) {
    const auto datagram = socket.receive(deadline);
    if (!datagram) return;
    for_each_message(*datagram, [&](const nlmsghdr& message) {
      const std::size_t i = message.nlmsg_seq - first;
      if (message.nlmsg_type != NLMSG_ERROR || i >= requests.size() || missing == 0) return;
      const auto verdict = verdict_of(message);
      results[i] = verdict.code == 0 ? Result<>{} : verdict_failure(requests[i].doing, verdict);
      --missing;
    });
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

std::vector<Result<>> transact(Socket& socket, std::span<Request> requests, Duration budget, Duration bound) {
  std::vector<Result<>> results;
  results.reserve(requests.size());
  const bool limited = budget != no_budget;
  const auto end = limited ? io::now() + budget : never;
  for (auto size = limited ? first_limited_size : batch_size; size > 0 && results.size() < requests.size();) {
    const auto first = results.size();
    const auto count = std::min(size, requests.size() - first);
    const auto begin = io::now();
    results.resize(first + count);
    transact_batch(socket, requests.subspan(first, count), std::span(results).subspan(first, count), bound);
    if (!limited) continue;
    const auto now = io::now();
    const auto pace = std::max<Duration>((now - begin) / count, Duration(1));
    size = std::clamp<std::int64_t>((end - now) / pace, 0, batch_size);
  }
  return results;
}

}  // namespace vipd::netlink
