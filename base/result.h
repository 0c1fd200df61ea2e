// Result<T>: a value, or an Error that names the operation, its object and the cause.
//
// It is for failures of the system (a socket, netlink, a file). Invalid packets are a vrrp::DecodeError,
// errors in the configuration are Diagnostics (base/diagnostics.h), and bugs in vipd are an assert(). Libraries
// return errors and never log them; the program that handles an error logs it once.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace vipd {

struct Error {
  std::string message;  // "binding the advertisement socket to eth0: Operation not permitted"
  int code = 0;         // errno where there is one, else 0

  // Prefixes the message with the operation: error.context("starting router edge").
  Error context(const std::string& doing) && { return {doing + ": " + message, code}; }
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> failure(std::string message, int code = 0) {
  return tl::unexpected<Error>(Error{std::move(message), code});
}

// The failure of the system call that just returned: "opening /run/vipd: Permission denied".
inline tl::unexpected<Error> system_failure(const std::string& doing, int code = errno) {
  return failure(doing + ": " + std::strerror(code), code);
}

}  // namespace vipd

// TRY(expression): the value of a Result, or an early return with its Error.
#define TRY(...)                                                                     \
  __extension__({                                                                    \
    auto vipd_try_result = (__VA_ARGS__);                                            \
    if (!vipd_try_result) return tl::unexpected(std::move(vipd_try_result).error()); \
    std::move(vipd_try_result).value();                                              \
  })
// The same for a Result<void>.
#define TRY_VOID(...)                                            \
  do {                                                           \
    if (auto vipd_try_result = (__VA_ARGS__); !vipd_try_result)  \
      return tl::unexpected(std::move(vipd_try_result).error()); \
  } while (false)
