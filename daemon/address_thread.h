// AddressThread: renews addresses for the guardian while that advertises in the router's place. The kernel
// works on such a request in the time of whoever asks, and makes him wait for its lock on interfaces, which
// others may hold for seconds: advertisements must not wait along. So this is the one thread of the
// guardian's beside the first, started when it is needed first.
//
// Removing is the caller's own business: settle() before it makes sure that no renewal comes after.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "netlink/address.h"
#include "netlink/socket.h"

namespace vipd::daemon {

class AddressThread {
 public:
  // Opens its socket: when it is needed there may be no descriptor left.
  AddressThread();
  ~AddressThread();
  AddressThread(const AddressThread&) = delete;
  AddressThread& operator=(const AddressThread&) = delete;

  // Returns at once. What waits is done in the order in which it came.
  void renew(const std::vector<netlink::AddressChange>& changes);

  // Forgets what has not been begun and waits for what has. Afterwards nothing changes until the next
  // renew().
  void settle();
  // The same without waiting: for whoever removes nothing.
  void forget();

  // What the kernel has refused since the last call.
  std::vector<std::string> take_errors();

 private:
  void run();

  std::mutex mutex_;  // of all that follows but the socket, which is the thread's
  std::condition_variable changed_;
  std::vector<netlink::AddressChange> waiting_;
  bool busy_ = false;
  bool ending_ = false;
  std::vector<std::string> errors_;
  std::optional<netlink::Socket> socket_;
  std::thread thread_;
};

}  // namespace vipd::daemon
