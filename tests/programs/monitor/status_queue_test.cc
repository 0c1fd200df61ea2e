// Many ask for the router's state, and the router has better to do.
#include "programs/monitor/status_queue.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {

struct Desk {
  std::vector<std::uint64_t> sent;
  std::string got;  // "a" for an answer, "-" for none, in the order of the questions' ends
  StatusQueue queue{[this](const StatusRequest& request) { sent.push_back(request.id); }};
  TimePoint now{10s};

  void ask() {
    queue.ask([this](const StatusReply* reply) { got += reply ? 'a' : '-'; }, now);
  }
  void reply() { queue.answered(StatusReply{sent.back(), {}}, now); }
};

}  // namespace

TEST_CASE("one question is asked and answered at once") {
  Desk desk;
  desk.ask();
  CHECK(desk.sent.size() == 1);
  desk.reply();
  CHECK(desk.got == "a");
  CHECK(desk.queue.next_deadline() == never);
}

TEST_CASE("whoever asks while an answer is on its way gets the next one, all of them together") {
  Desk desk;
  desk.ask();
  for (int i = 0; i < 5; ++i) desk.ask();
  CHECK(desk.sent.size() == 1);
  desk.now += 10ms;
  desk.reply();
  CHECK(desk.got == "a");
  CHECK(desk.sent.size() == 1);
  CHECK(desk.queue.next_deadline() == desk.now + 40ms);
  desk.now += 40ms;
  desk.queue.step(desk.now);
  CHECK(desk.sent.size() == 2);
  desk.reply();
  CHECK(desk.got == "aaaaaa");
}

TEST_CASE("a router that does not answer keeps nobody waiting for ever, and the next one is asked") {
  Desk desk;
  desk.ask();
  desk.now += 2s;
  desk.queue.step(desk.now);
  CHECK(desk.got == "-");
  desk.ask();
  CHECK(desk.sent.size() == 2);
  desk.queue.answered(StatusReply{desk.sent.front(), {}}, desk.now);  // too late
  CHECK(desk.got == "-");
  desk.reply();
  CHECK(desk.got == "-a");
}

TEST_CASE("questions without end are refused") {
  Desk desk;
  for (std::size_t i = 0; i < StatusQueue::most_questions + 10; ++i) desk.ask();
  CHECK(desk.got == "----------");
  CHECK(desk.sent.size() == 1);
}
