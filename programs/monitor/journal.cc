#include "programs/monitor/journal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;
constexpr auto longest_end = 1s;
constexpr std::size_t most_at_once = 256;  // lines

events::WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
}  // namespace

struct Journal::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> waiting;
  events::Limits limits;
  bool new_limits = false;
  State state;
  io::Fd state_changed;
  bool ending = false;
  bool ended = false;

  // With the lock held.
  void drop_oldest() {
    for (; waiting.size() > most_waiting; waiting.pop_front()) ++state.lost;
  }
  void tell(const std::string& trouble) {
    if (state.trouble == trouble || (!state.trouble.empty() && !trouble.empty())) return;
    state.trouble = trouble;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(state_changed.get(), &one, sizeof one);
  }
};

Journal::Journal(std::string directory, events::Limits limits, Duration retry)
    : directory_(std::move(directory)), shared_(std::make_shared<Shared>()) {
  shared_->limits = limits;
  shared_->state_changed = io::Fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!shared_->state_changed) throw std::system_error(errno, std::generic_category(), "eventfd");
  thread_ = std::thread(
      [shared = shared_, directory_copy = directory_, retry] { work(shared, directory_copy, retry); });
}

Journal::~Journal() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->changed.notify_all();
  const bool ended = shared_->changed.wait_for(lock, longest_end, [this] { return shared_->ended; });
  lock.unlock();
  if (ended)
    thread_.join();
  else
    thread_.detach();
}

void Journal::write(std::string line) {
  const std::lock_guard lock(shared_->mutex);
  shared_->waiting.push_back(std::move(line));
  shared_->drop_oldest();
  shared_->changed.notify_all();
}

void Journal::set_limits(events::Limits limits) {
  const std::lock_guard lock(shared_->mutex);
  shared_->new_limits |= shared_->limits != limits;
  shared_->limits = limits;
}

int Journal::fd() const {
  return shared_->state_changed.get();
}

Journal::State Journal::state() {
  const std::lock_guard lock(shared_->mutex);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto size = ::read(shared_->state_changed.get(), &count, sizeof count);
  return shared_->state;
}

void Journal::work(const std::shared_ptr<Shared>& shared, const std::string& directory, Duration retry) {
  std::unique_lock lock(shared->mutex);
  events::JournalFiles files(directory, shared->limits);
  while (true) {
    shared->changed.wait(lock, [&] { return !shared->waiting.empty() || shared->ending; });
    if (shared->waiting.empty()) break;
    if (std::exchange(shared->new_limits, false)) files = events::JournalFiles(directory, shared->limits);
    std::vector<std::string> lines;
    for (; !shared->waiting.empty() && lines.size() < most_at_once; shared->waiting.pop_front())
      lines.push_back(std::move(shared->waiting.front()));
    lock.unlock();
    const auto appended = files.append(lines, wall_now());
    lock.lock();
    shared->tell(appended ? "" : appended.error().message);
    if (appended) continue;
    shared->waiting.insert(shared->waiting.begin(), lines.begin(), lines.end());
    shared->drop_oldest();
    if (shared->ending) break;
    shared->changed.wait_for(lock, retry, [&] { return shared->ending; });
  }
  shared->ended = true;
  shared->changed.notify_all();
}

}  // namespace vipd::programs
