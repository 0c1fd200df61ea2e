#include "io/loop.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "io/clock.h"
#include "io/fd.h"

namespace vipd::io {

namespace {
// Ids in epoll's data that do not belong to a Watch.
constexpr std::uint64_t timer_id = 0;
constexpr std::uint64_t signals_id = 1;
constexpr std::size_t most_events = 64;  // in one turn

[[noreturn]] void give_up(const char* doing) {
  throw std::system_error(errno, std::generic_category(), doing);
}
}  // namespace

// The watched descriptors and signals. Each has an id that is never reused, so an event queued for a Watch
// that no longer exists finds no entry, even if the number of its descriptor is in use again.
struct Watch::Table {
  struct Entry {
    int fd = -1;     // -1: a signal
    int signal = 0;  // 0: a descriptor
    std::function<void(std::uint32_t)> ready;
    std::function<void(const signalfd_siginfo&)> arrived;
  };

  Fd epoll;
  Fd timer;
  Fd signals;  // created with the first signal
  TimePoint armed = never;
  bool expired = false;  // the timer stays readable until it is armed again
  bool full = false;     // the last turn had most_events
  sigset_t signal_set;
  // Shared with the call in progress, which may erase its own entry.
  std::map<std::uint64_t, std::shared_ptr<Entry>> entries;
  std::uint64_t last_id = signals_id;

  void add(int fd, std::uint32_t events, std::uint64_t id) {
    epoll_event event{events, {.u64 = id}};
    if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) give_up("watching a descriptor");
  }

  // Skips insignificant changes: a deadline on another clock converts to a slightly different time each time.
  void arm(TimePoint deadline) {
    if (!expired && deadline <= armed && armed - deadline < Duration(std::chrono::microseconds(10))) return;
    itimerspec when{};
    if (deadline != never) {
      const auto since = deadline.time_since_epoch();
      const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
      when.it_value = {seconds.count(), (since - seconds).count()};
    }
    if (timerfd_settime(timer.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
      give_up("setting the loop's timer");
    armed = deadline;
    expired = false;
  }

  bool has_signal(int signal) const {
    for (const auto& [id, entry] : entries)
      if (entry->signal == signal) return true;
    return false;
  }

  void erase(std::uint64_t id) {
    const auto found = entries.find(id);
    if (found == entries.end()) return;
    const auto entry = std::exchange(found->second, nullptr);
    entries.erase(found);
    if (entry->fd >= 0) {
      epoll_ctl(epoll.get(), EPOLL_CTL_DEL, entry->fd, nullptr);
    } else if (!has_signal(entry->signal)) {
      sigdelset(&signal_set, entry->signal);
      signalfd(signals.get(), &signal_set, 0);
    }
  }
};

Watch::Watch(Watch&& other) noexcept : table_(std::move(other.table_)), id_(std::exchange(other.id_, 0)) {}

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    table_ = std::move(other.table_);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

Watch::~Watch() {
  reset();
}

void Watch::reset() {
  const auto id = std::exchange(id_, 0);
  if (const auto table = table_.lock(); table && id != 0) table->erase(id);
  table_.reset();
}

void Watch::set_events(std::uint32_t events) {
  const auto table = table_.lock();
  if (!table) return;
  const auto found = table->entries.find(id_);
  if (found == table->entries.end() || found->second->fd < 0) return;
  epoll_event event{events, {.u64 = id_}};
  if (epoll_ctl(table->epoll.get(), EPOLL_CTL_MOD, found->second->fd, &event) != 0)
    give_up("changing the watched events of a descriptor");
}

Loop::Loop() : table_(std::make_shared<Watch::Table>()) {
  table_->epoll = Fd(epoll_create1(EPOLL_CLOEXEC));
  if (!table_->epoll) give_up("creating the event loop");
  // A timerfd instead of the timeout of epoll_pwait2, which may be late by a thousandth of the waiting time
  // (the kernel's timer slack): a millisecond for a second.
  table_->timer = Fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!table_->timer) give_up("creating the event loop's timer");
  table_->add(table_->timer.get(), EPOLLIN, timer_id);
  sigemptyset(&table_->signal_set);
}

Loop::~Loop() = default;

Watch Loop::watch(int fd, std::function<void()> readable) {
  return watch(fd, EPOLLIN, [readable = std::move(readable)](std::uint32_t) { readable(); });
}

Watch Loop::watch(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) {
  const auto id = ++table_->last_id;
  table_->add(fd, events, id);
  table_->entries.emplace(
      id, std::make_shared<Watch::Table::Entry>(Watch::Table::Entry{fd, 0, std::move(ready), nullptr}));
  return Watch(table_, id);
}

Watch Loop::on_signal(int signal, std::function<void(const signalfd_siginfo&)> arrived) {
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  pthread_sigmask(SIG_BLOCK, &one, nullptr);
  sigaddset(&table_->signal_set, signal);

  const int fd = signalfd(table_->signals.get(), &table_->signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) give_up("watching a signal");
  if (!table_->signals) {
    table_->signals = Fd(fd);
    table_->add(fd, EPOLLIN, signals_id);
  }
  const auto id = ++table_->last_id;
  table_->entries.emplace(id, std::make_shared<Watch::Table::Entry>(
                                  Watch::Table::Entry{-1, signal, nullptr, std::move(arrived)}));
  return Watch(table_, id);
}

Result<> Loop::wait(TimePoint deadline) {
  const auto table = table_;  // keeps the table alive even if a callback destroys the owner of the Loop
  const bool passed = deadline <= now();
  if (!passed) table->arm(deadline);

  std::array<epoll_event, most_events> events;
  const int count = epoll_wait(table->epoll.get(), events.data(), events.size(), passed ? 0 : -1);
  if (count < 0 && errno != EINTR) return system_failure("waiting for events");
  table->full = count == static_cast<int>(events.size());

  for (int i = 0; i < count; ++i) {
    const auto id = events[i].data.u64;
    if (id == timer_id) {
      table->expired = true;
    } else if (id == signals_id) {
      read_signals();
    } else if (const auto found = table->entries.find(id); found != table->entries.end()) {
      const auto entry = found->second;
      entry->ready(events[i].events);
    }
  }
  return {};
}

bool Loop::full() const {
  return table_->full;
}

void Loop::read_signals() {
  signalfd_siginfo info{};
  while (read(table_->signals.get(), &info, sizeof info) == sizeof info) {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, entry] : table_->entries)
      if (entry->signal == static_cast<int>(info.ssi_signo)) ids.push_back(id);
    for (const auto id : ids) {
      const auto found = table_->entries.find(id);
      if (found == table_->entries.end()) continue;
      const auto entry = found->second;
      entry->arrived(info);
    }
  }
}

}  // namespace vipd::io
