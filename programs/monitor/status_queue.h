// StatusQueue: many clients may request the router's state again and again. The queue sends the router one
// request at a time, for all waiting clients, and pauses after each answer, so that no client can keep the
// router busy. A client that asks while an answer is on its way gets the next one, so that the answer
// includes everything that happened before the question.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"
#include "programs/common/monitor_router_messages.h"

namespace vipd::programs {

class StatusQueue {
 public:
  // nullptr: no answer, because the router is being replaced or there are too many questions.
  using Answered = std::function<void(const StatusReply* reply)>;
  using Send = std::function<void(const StatusRequest& request)>;

  static constexpr std::size_t most_questions = 1024;
  static constexpr Duration longest_wait = std::chrono::seconds(2);
  // A pause this many times as long as the answer took: the router spends at most a fifth of its time on
  // answers.
  static constexpr int pause = 4;

  explicit StatusQueue(Send send) : send_(std::move(send)) {}

  void ask(Answered answered, TimePoint now, bool measurements = false);
  void answered(const StatusReply& reply, TimePoint now);

  void step(TimePoint now);
  TimePoint next_deadline() const;

 private:
  struct Question {
    Answered answered;
    TimePoint deadline;
    bool measurements;
  };

  Send send_;
  std::vector<Question> waiting_;  // for the next request
  std::vector<Question> asked_;    // answered by the request that is under way
  std::uint64_t id_ = 0;
  TimePoint sent_{};
  TimePoint not_before_{};
};

}  // namespace vipd::programs
