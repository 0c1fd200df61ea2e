// AddressThread: renews addresses for the guardian during a hold. The kernel executes such a request within
// the caller's system call, which also waits for the lock on interfaces that others may hold for seconds;
// advertisements must not wait for that. So this is the guardian's only second thread, started when it is
// first needed.
//
// The caller removes addresses itself; a call of settle() before that ensures that no renewal follows.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "netlink/address.h"
#include "netlink/socket.h"

namespace vipd::programs {

class AddressThread {
 public:
  // Opens its socket in advance: later no descriptor may be left.
  AddressThread();
  ~AddressThread();
  AddressThread(const AddressThread&) = delete;
  AddressThread& operator=(const AddressThread&) = delete;

  // Returns at once. Waiting renewals are done in order.
  void renew(const std::vector<netlink::AddressChange>& changes);

  // Drops waiting renewals, and waits for the running one. Afterwards nothing changes until the next renew().
  void settle();
  // The same without waiting, for a caller that removes nothing.
  void forget();

  // The renewals that the kernel has refused since the last call.
  std::vector<std::string> take_errors();

 private:
  void run();

  std::mutex mutex_;  // guards all below except the socket, which only the thread uses
  std::condition_variable changed_;
  std::vector<netlink::AddressChange> waiting_;
  bool busy_ = false;
  bool ending_ = false;
  std::vector<std::string> errors_;
  std::optional<netlink::Socket> socket_;
  std::thread thread_;
};

}  // namespace vipd::programs
