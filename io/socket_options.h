// SocketOptions: a series of setsockopt calls that stops at the first failure and returns it.
#pragma once

#include <sys/socket.h>

#include <cerrno>

#include "base/result.h"

namespace vipd::io {

class SocketOptions {
 public:
  explicit SocketOptions(int fd) : fd_(fd) {}

  // `name` names the option in the error message. After a failure no further option is set.
  template <class T>
  SocketOptions& set(int level, int option, const T& value, const char* name) {
    if (!failed_ && setsockopt(fd_, level, option, &value, sizeof value) != 0) {
      failed_ = name;
      code_ = errno;
    }
    return *this;
  }

  // An optional setting: it fails if vipd lacks the permission, or the kernel the option.
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
