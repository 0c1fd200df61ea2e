// Loop: waits for descriptors, signals and one deadline, and calls back. epoll, signalfd and one timerfd.
//
// It knows no timers: the program asks the owners of deadlines for the earliest one, and passes it to wait().
// Level-triggered: a callback that leaves something unread is called again in the next turn. One thread.
#pragma once

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "base/time.h"

namespace vipd::io {

// Keeps watching a descriptor or signal until this is destroyed. Any Watch may be destroyed inside any
// callback, its own included: it is not called again, not even for an event of the same turn. Destroy it
// before closing its descriptor. It may outlive the Loop.
class Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch();

  // EPOLLIN, EPOLLOUT or both; for a descriptor, not for a signal. 0: hang-ups and errors only.
  void set_events(std::uint32_t events);
  void reset();
  explicit operator bool() const { return id_ != 0; }

 private:
  friend class Loop;
  struct Table;
  Watch(const std::shared_ptr<Table>& table, std::uint64_t id) : table_(table), id_(id) {}

  std::weak_ptr<Table> table_;
  std::uint64_t id_ = 0;
};

class Loop {
 public:
  // The constructor and watch() throw std::system_error when the kernel has no descriptors or memory left: no
  // vipd program can continue without its loop.
  Loop();
  Loop(const Loop&) = delete;
  ~Loop();

  // readable is called when there is something to read, at end of file, and on an error of the descriptor.
  // A descriptor can be watched once at a time.
  [[nodiscard]] Watch watch(int fd, std::function<void()> readable);
  // The same with a mask (EPOLLIN | EPOLLOUT). Passes the events that occurred (EPOLLHUP and EPOLLERR always
  // count).
  [[nodiscard]] Watch watch(int fd, std::uint32_t events, std::function<void(std::uint32_t events)> ready);

  // Blocks the signal in the calling thread (call it before starting other threads) and passes it to
  // `arrived`. It stays blocked after the Watch is destroyed, so that a second SIGTERM does not end a
  // shutdown half-way.
  [[nodiscard]] Watch on_signal(int signal, std::function<void(const signalfd_siginfo&)> arrived);

  // Waits until a descriptor is ready or the deadline has passed (`never`: no deadline; in the past: does not
  // wait), runs the callbacks of what is ready, and returns. Also returns early, without a callback, after a
  // signal handler ran. The wait is for the absolute time, without the slack of epoll's own timeout.
  Result<> wait(TimePoint deadline);
  // Whether the last wait called back as many times as one turn allows: more may have been ready.
  bool full() const;

 private:
  void read_signals();

  std::shared_ptr<Watch::Table> table_;
};

}  // namespace vipd::io
