#include "io/loop.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <vector>

#include "tests/network.h"

using namespace vipd;
using namespace vipd::io;
using namespace std::chrono_literals;

namespace {

Fd ready_event() {
  return Fd(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
}

}  // namespace

TEST_CASE("a wait ends at its deadline, never earlier, and not a millisecond late") {
  Loop loop;
  std::vector<Duration> late;
  for (int i = 0; i < 15; ++i) {
    const auto deadline = now() + 20ms + 12345ns;
    REQUIRE(loop.wait(deadline));
    late.push_back(now() - deadline);
  }
  std::sort(late.begin(), late.end());
  CHECK(late.front() >= 0ns);
  CHECK(late.front() < 500us);  // at best: the machine may be busy
}

TEST_CASE("a wait with a deadline in the past does not block, and finds ready descriptors") {
  Loop loop;
  const auto before = now();
  REQUIRE(loop.wait(TimePoint{}));
  REQUIRE(loop.wait(before));
  CHECK(now() - before < 1s);

  auto event = ready_event();
  int calls = 0;
  auto watch = loop.watch(event.get(), [&] { ++calls; });
  REQUIRE(loop.wait(TimePoint{}));
  CHECK(calls == 1);
}

TEST_CASE(
    "without a deadline a wait lasts until a descriptor is ready, and an earlier deadline is forgotten") {
  Loop loop;
  REQUIRE(loop.wait(now() + 1ms));
  auto event = ready_event();
  int calls = 0;
  auto watch = loop.watch(event.get(), [&] { ++calls; });
  REQUIRE(loop.wait(now() + 10ms));
  REQUIRE(loop.wait(never));
  CHECK(calls == 2);
  CHECK(test::readable(event.get(), 0));  // it has not been read: level triggered
}

TEST_CASE("end of file and errors wake a watch for reading") {
  Loop loop;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Fd here(ends[0]);
  Fd there(ends[1]);
  int calls = 0;
  auto watch = loop.watch(here.get(), [&] { ++calls; });
  there.reset();
  REQUIRE(loop.wait(now() + 1s));
  CHECK(calls == 1);
}

TEST_CASE("the watched events of a descriptor can be changed") {
  Loop loop;
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Fd here(ends[0]);
  Fd there(ends[1]);
  std::vector<std::uint32_t> seen;
  auto watch = loop.watch(here.get(), EPOLLIN, [&](std::uint32_t events) { seen.push_back(events); });
  REQUIRE(loop.wait(now() + 1ms));
  CHECK(seen.empty());
  watch.set_events(EPOLLIN | EPOLLOUT);
  REQUIRE(loop.wait(now() + 1s));
  REQUIRE(seen.size() == 1);
  CHECK(seen[0] == EPOLLOUT);
  watch.set_events(EPOLLIN);
  REQUIRE(write(there.get(), "x", 1) == 1);
  REQUIRE(loop.wait(now() + 1s));
  REQUIRE(seen.size() == 2);
  CHECK(seen[1] == EPOLLIN);
}

TEST_CASE("a callback may end its own watch and others, and no ended watch is called") {
  Loop loop;
  const std::array<Fd, 3> events{ready_event(), ready_event(), ready_event()};
  std::array<std::optional<Watch>, 3> watches;
  int calls = 0;
  // All three are ready in the same turn; the first callback ends all.
  for (std::size_t i = 0; i < 3; ++i) {
    // Data of the callback that it still needs after its watch has ended.
    const std::vector<int> own(1000, 7);
    watches[i] = loop.watch(events[i].get(), [&, own] {
      for (auto& each : watches) each.reset();
      calls += own.back() == 7 ? 1 : 100;
    });
  }
  REQUIRE(loop.wait(now() + 1s));
  CHECK(calls == 1);
  REQUIRE(loop.wait(now() + 1ms));
  CHECK(calls == 1);
}

TEST_CASE("a descriptor number reused in the same turn does not inherit an event") {
  Loop loop;
  Fd first = ready_event();
  Fd second = ready_event();
  std::optional<Watch> first_watch;
  std::optional<Watch> second_watch;
  std::optional<Watch> third_watch;
  Fd third;
  int old_calls = 0;
  int new_calls = 0;
  const auto replace = [&](std::optional<Watch>& other, Fd& fd) {
    ++old_calls;
    if (third) return;
    other.reset();
    const int number = fd.get();
    fd.reset();
    third = Fd(eventfd(0, EFD_CLOEXEC));
    CHECK(third.get() == number);
    third_watch = loop.watch(third.get(), [&] { ++new_calls; });
  };
  first_watch = loop.watch(first.get(), [&] { replace(second_watch, second); });
  second_watch = loop.watch(second.get(), [&] { replace(first_watch, first); });
  REQUIRE(loop.wait(now() + 1s));
  CHECK(old_calls == 1);
  CHECK(new_calls == 0);
}

TEST_CASE("a watch created in a callback works from the next turn, and a watch may outlive its loop") {
  std::optional<Watch> left_over;
  {
    Loop loop;
    Fd first = ready_event();
    Fd second = ready_event();
    int calls = 0;
    auto watch = loop.watch(first.get(), [&] {
      if (!left_over) left_over = loop.watch(second.get(), [&] { ++calls; });
    });
    REQUIRE(loop.wait(now() + 1s));
    REQUIRE(loop.wait(now() + 1s));
    CHECK(calls == 1);
  }
  left_over.reset();
}

TEST_CASE("a moved watch continues, and assignment ends the previous watch of its target") {
  Loop loop;
  auto first = ready_event();
  auto second = ready_event();
  int first_calls = 0;
  int second_calls = 0;
  auto watch = loop.watch(first.get(), [&] { ++first_calls; });
  Watch moved = std::move(watch);
  REQUIRE(loop.wait(now() + 1s));
  CHECK(first_calls == 1);
  moved = loop.watch(second.get(), [&] { ++second_calls; });
  REQUIRE(loop.wait(now() + 1s));
  CHECK(first_calls == 1);
  CHECK(second_calls == 1);
}

TEST_CASE("a turn in which more may have been ready than it could call back says so") {
  Loop loop;
  std::vector<Fd> events;
  std::vector<Watch> watches;
  std::set<int> called;
  for (int i = 0; i < 100; ++i) {
    events.push_back(ready_event());
    watches.push_back(loop.watch(events.back().get(), [&called, i] { called.insert(i); }));
  }
  REQUIRE(loop.wait(TimePoint{}));
  CHECK(loop.full());
  CHECK(called.size() < 100);
  REQUIRE(loop.wait(TimePoint{}));
  CHECK(called.size() == 100);
  watches.resize(10);
  REQUIRE(loop.wait(TimePoint{}));
  CHECK_FALSE(loop.full());
}

TEST_CASE("signals arrive as callbacks of their watches") {
  Loop loop;
  std::vector<int> seen;
  auto usr1 = loop.on_signal(SIGUSR1, [&](const signalfd_siginfo& info) {
    CHECK(info.ssi_pid == static_cast<std::uint32_t>(getpid()));
    seen.push_back(SIGUSR1);
  });
  {
    auto usr2 = loop.on_signal(SIGUSR2, [&](const signalfd_siginfo&) { seen.push_back(SIGUSR2); });
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    REQUIRE(loop.wait(now() + 1s));
    CHECK(seen == std::vector{SIGUSR1, SIGUSR2});
  }
  // No watch is left; the signal stays blocked and does not end this process.
  kill(getpid(), SIGUSR2);
  REQUIRE(loop.wait(now() + 1ms));
  CHECK(seen.size() == 2);
  // Consume it, for later tests.
  const auto drain = loop.on_signal(SIGUSR2, [](const signalfd_siginfo&) {});
  REQUIRE(loop.wait(now() + 1s));
}

TEST_CASE("the boot clock runs at least as far as the monotonic one") {
  CHECK(boottime() >= now().time_since_epoch() - 1ms);
}
