// Loop: tasks that act at times of their own and when a descriptor is ready, until SIGTERM or SIGINT.
#pragma once

#include <sched.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <map>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "tests/lab/probe/output.h"

namespace lab_probe {

constexpr Nanoseconds flush_period = 20 * millisecond;

// A client or a server that the machine holds up measures the machine. Where we may not, we go on without.
inline void ask_for_priority() {
  const sched_param priority{1};
  sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority);
}

// Something that acts at a time of its own and when one of its descriptors is readable (or writable).
class Task {
 public:
  virtual ~Task() = default;
  virtual Nanoseconds deadline() const = 0;
  virtual void on_time(Nanoseconds time) = 0;
  virtual void on_descriptor(int descriptor, std::uint32_t events) = 0;
};

class Loop {
 public:
  Loop() {
    epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
    timer_ = checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd");
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signals_ = checked(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
    add(timer_, EPOLLIN, nullptr);
    add(signals_, EPOLLIN, nullptr);
  }

  void add(int descriptor, std::uint32_t events, Task* task) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
    owners_[descriptor] = task;
  }
  void change(int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
  }
  void close(int descriptor) {
    owners_.erase(descriptor);
    ::close(descriptor);
  }

  // Until SIGTERM or SIGINT.
  void run(std::vector<std::unique_ptr<Task>>& tasks) {
    Nanoseconds next_flush = now();
    for (;;) {
      Nanoseconds earliest = next_flush;
      for (const auto& task : tasks) earliest = std::min(earliest, task->deadline());
      arm(earliest);
      std::array<epoll_event, 64> events{};
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        if (descriptor == signals_) return output.flush();
        const auto owner = owners_.find(descriptor);
        if (owner != owners_.end() && owner->second)
          owner->second->on_descriptor(descriptor, events[static_cast<std::size_t>(i)].events);
      }
      for (const auto& task : tasks)
        if (task->deadline() <= now()) task->on_time(now());
      if (next_flush <= now()) {
        output.flush();
        next_flush = now() + flush_period;
      }
    }
  }

 private:
  void arm(Nanoseconds time) {
    itimerspec value{};
    value.it_value.tv_sec = time / 1'000'000'000;
    value.it_value.tv_nsec = time % 1'000'000'000;
    checked(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &value, nullptr), "timerfd_settime");
  }

  int epoll_ = -1;
  int timer_ = -1;
  int signals_ = -1;
  std::map<int, Task*> owners_;
};

// When to send next: a fixed grid, so that a late turn does not shift the following ones. Turns that were
// missed altogether are not made up for: a burst would not be what a client does.
class Grid {
 public:
  explicit Grid(Nanoseconds period) : period_(period), next_(now() + period) {}
  Nanoseconds next() const { return next_; }
  void advance(Nanoseconds time) {
    next_ += period_;
    if (next_ <= time) next_ = time + period_;
  }

 private:
  Nanoseconds period_;
  Nanoseconds next_;
};

}  // namespace lab_probe
