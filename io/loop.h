// Loop: waits for descriptors, signals and one deadline, and calls back. epoll, signalfd and one timerfd.
//
// It knows nothing of timers: who owns deadlines is asked for the earliest, and wait() takes it. Level
// triggered: a callback that leaves something unread is called again in the next turn. One thread.
#pragma once

#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.h"
#include "base/time.h"

namespace vipd::io {

// A descriptor or signal being watched, until this is destroyed. Any Watch may be destroyed inside any
// callback, its own too: it is not called any more, not even for an event of the same turn. Destroy it before
// its descriptor is closed. It may outlive the Loop.
class Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch();

  // EPOLLIN, EPOLLOUT or both; of a descriptor, not of a signal. 0: hang-ups and errors only.
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
  // Both the constructor and watch() throw std::system_error when the kernel has no descriptors or memory
  // left: no program of ours can go on without its loop.
  Loop();
  Loop(const Loop&) = delete;
  ~Loop();

  // readable is called when there is something to read, at end of file, and on an error of the descriptor.
  // A descriptor can be watched once at a time.
  [[nodiscard]] Watch watch(int fd, std::function<void()> readable);
  // The same with a mask (EPOLLIN | EPOLLOUT), and the events that came (EPOLLHUP and EPOLLERR come unasked).
  [[nodiscard]] Watch watch(int fd, std::uint32_t events, std::function<void(std::uint32_t events)> ready);

  // Blocks the signal in the calling thread (call it before other threads start) and hands it to `arrived`.
  // It stays blocked when the Watch is gone, so that a second SIGTERM does not end a shutdown half-way.
  [[nodiscard]] Watch on_signal(int signal, std::function<void(const signalfd_siginfo&)> arrived);

  // Waits until something is ready or the deadline has come (`never`: no deadline; in the past: only looks),
  // runs the callbacks of what is ready, and returns. Also returns early, without a callback, when a signal
  // handler ran. The wait is for the absolute time, without the slack that epoll's own timeout has.
  Result<> wait(TimePoint deadline);
  // Whether the last wait called back as many as one turn can: more may have been ready.
  bool full() const;

 private:
  void read_signals();

  std::shared_ptr<Watch::Table> table_;
};

}  // namespace vipd::io
