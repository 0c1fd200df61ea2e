// StatusQueue: many may ask for the router's state, again and again; the router is asked once at a time, for
// all who wait, and is left alone for a while after each answer, so that nobody can keep it busy. Who asks
// while an answer is on its way gets the next one: it tells what has happened before the question.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"
#include "programs/common/messages.h"

namespace vipd::programs {

class StatusQueue {
 public:
  // nullptr: there is no answer, the router is being replaced or there are too many questions.
  using Answered = std::function<void(const StatusReply* reply)>;
  using Send = std::function<void(const StatusRequest& request)>;

  static constexpr std::size_t most_questions = 1024;
  static constexpr Duration longest_wait = std::chrono::seconds(2);
  // The router answers for a fifth of the time at most.
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
  std::vector<Question> asked_;    // with the one that is on its way
  std::uint64_t id_ = 0;
  TimePoint sent_{};
  TimePoint not_before_{};
};

}  // namespace vipd::programs
