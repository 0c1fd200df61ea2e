#include "programs/monitor/status_queue.h"

#include <algorithm>
#include <utility>

namespace vipd::programs {

void StatusQueue::ask(Answered answered, TimePoint now, bool measurements) {
  if (waiting_.size() + asked_.size() >= most_questions) return answered(nullptr);
  waiting_.push_back({std::move(answered), now + longest_wait, measurements});
  step(now);
}

void StatusQueue::answered(const StatusReply& reply, TimePoint now) {
  if (reply.id != id_) return;
  not_before_ = now + pause * (now - sent_);
  for (const auto& question : std::exchange(asked_, {})) question.answered(&reply);
  step(now);
}

void StatusQueue::step(TimePoint now) {
  std::vector<Question> late;
  for (auto* questions : {&asked_, &waiting_}) {
    const auto end = std::stable_partition(questions->begin(), questions->end(),
                                           [&](const Question& each) { return each.deadline > now; });
    std::move(end, questions->end(), std::back_inserter(late));
    questions->erase(end, questions->end());
  }
  for (const auto& question : late) question.answered(nullptr);
  if (!asked_.empty() || waiting_.empty() || now < not_before_) return;
  asked_ = std::exchange(waiting_, {});
  sent_ = now;
  send_(
      {++id_, std::any_of(asked_.begin(), asked_.end(), [](const auto& each) { return each.measurements; })});
}

TimePoint StatusQueue::next_deadline() const {
  TimePoint earliest = never;
  for (const auto* questions : {&asked_, &waiting_})
    for (const auto& question : *questions) earliest = std::min(earliest, question.deadline);
  if (asked_.empty() && !waiting_.empty()) earliest = std::min(earliest, not_before_);
  return earliest;
}

}  // namespace vipd::programs
