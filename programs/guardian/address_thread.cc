#include "programs/guardian/address_thread.h"

#include <utility>

namespace vipd::programs {

AddressThread::AddressThread() {
  if (auto opened = netlink::Socket::open(0 /* NETLINK_ROUTE */)) socket_ = std::move(*opened);
}

AddressThread::~AddressThread() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void AddressThread::renew(const std::vector<netlink::AddressChange>& changes) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.insert(waiting_.end(), changes.begin(), changes.end());
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void AddressThread::settle() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  changed_.wait(lock, [this] { return !busy_; });
}

void AddressThread::forget() {
  const std::lock_guard lock(mutex_);
  waiting_.clear();
}

std::vector<std::string> AddressThread::take_errors() {
  const std::lock_guard lock(mutex_);
  return std::exchange(errors_, {});
}

void AddressThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (ending_) return;
    const auto changes = std::exchange(waiting_, {});
    busy_ = true;
    lock.unlock();
    std::vector<std::string> errors;
    if (!socket_) {
      if (auto opened = netlink::Socket::open(0 /* NETLINK_ROUTE */))
        socket_ = std::move(*opened);
      else
        errors.push_back(opened.error().message);
    }
    if (socket_)
      for (const auto& result : netlink::apply(*socket_, changes))
        if (!result) errors.push_back(result.error().message);
    lock.lock();
    busy_ = false;
    errors_.insert(errors_.end(), errors.begin(), errors.end());
    changed_.notify_all();
  }
}

}  // namespace vipd::programs
