// SharedMemory: a piece of memory of fixed size that two processes map (heartbeats, leases). The descriptor
// is passed on through a Channel or spawn(). Nobody can resize it, so reading it never faults.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

// An anonymous file in memory that can be sealed; close-on-exec, never executable where the kernel can say
// so.
Result<Fd> open_memory_file(const char* name);

class SharedMemory {
 public:
  static Result<SharedMemory> create(const char* name, std::size_t size);  // all zero
  // What another process has created. EPROTO: it is not sealed against resizing or smaller than size.
  static Result<SharedMemory> adopt(Fd fd, std::size_t size);

  SharedMemory(SharedMemory&& other) noexcept
      : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, {})) {}
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SharedMemory();

  int fd() const { return fd_.get(); }
  std::span<std::byte> bytes() const { return bytes_; }

  // The beginning as a T: atomics and plain numbers, for which all zero is a good value. The other process
  // may write whatever it likes at any time.
  template <class T>
  T& as() const {
    static_assert(std::is_standard_layout_v<T> && std::is_trivially_destructible_v<T>);
    assert(sizeof(T) <= bytes_.size());
    return *reinterpret_cast<T*>(bytes_.data());
  }

 private:
  SharedMemory(Fd fd, std::span<std::byte> bytes) : fd_(std::move(fd)), bytes_(bytes) {}
  static Result<SharedMemory> map(Fd fd, std::size_t size);

  Fd fd_;
  std::span<std::byte> bytes_;
};

}  // namespace vipd::io
