// SocketOptions: a row of setsockopt calls, of which the first failure is told.
#pragma once

#include <sys/socket.h>

#include <cerrno>

#include "base/result.h"

namespace vipd::io {

class SocketOptions {
 public:
  explicit SocketOptions(int fd) : fd_(fd) {}

  // `name` says in the message what it was for. After a failure nothing more is set.
  template <class T>
  SocketOptions& set(int level, int option, const T& value, const char* name) {
    if (!failed_ && setsockopt(fd_, level, option, &value, sizeof value) != 0) {
      failed_ = name;
      code_ = errno;
    }
    return *this;
  }

  // A wish: refused where we lack the right or the kernel the option.
  template <class T>
  bool wish(int level, int option, const T& value) {
    return setsockopt(fd_, level, option, &value, sizeof value) == 0;
  }

  Result<> done() const {
    if (failed_) return system_failure(failed_, code_);
    return {};
  }

 private:
  int fd_;
  const char* failed_ = nullptr;
  int code_ = 0;
};

}  // namespace vipd::io
