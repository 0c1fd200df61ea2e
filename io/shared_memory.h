// SharedMemory: memory of fixed size that two processes map (heartbeats, leases). The descriptor is passed on
// through a Channel or spawn(). No process can resize it, so reading it never faults.
#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

// An anonymous memory file that can be sealed; close-on-exec; not executable, if the kernel supports that.
Result<Fd> open_memory_file(const char* name);

class SharedMemory {
 public:
  static Result<SharedMemory> create(const char* name, std::size_t size);  // all zero
  // Memory that another process has created. EPROTO: it is smaller than size, or not sealed against resizing.
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

  // The beginning of the memory as a T: atomics and plain numbers, for which all zeros is a valid value. The
  // other process may write anything at any time.
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
