#include "io/shared_memory.h"

#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace vipd::io {

Result<Fd> open_memory_file(const char* name) {
  constexpr unsigned noexec_seal = 0x8;  // MFD_NOEXEC_SEAL, kernels from 6.3; sealing is allowed with it
  Fd fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | noexec_seal));
  if (!fd && errno == EINVAL) fd = Fd(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_failure("creating a memory file");
  return fd;
}

Result<SharedMemory> SharedMemory::create(const char* name, std::size_t size) {
  auto fd = TRY(open_memory_file(name));
  if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return system_failure("sizing shared memory");
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return system_failure("sealing shared memory");
  return map(std::move(fd), size);
}

Result<SharedMemory> SharedMemory::adopt(Fd fd, std::size_t size) {
  const int seals = fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || !(seals & F_SEAL_SHRINK))
    return failure("shared memory rejected: it can be resized", EPROTO);
  struct stat status{};
  if (fstat(fd.get(), &status) != 0) return system_failure("inspecting shared memory");
  if (static_cast<std::size_t>(status.st_size) < size)
    return failure("shared memory rejected: it has " + std::to_string(status.st_size) + " bytes, but needs " +
                       std::to_string(size),
                   EPROTO);
  return map(std::move(fd), size);
}

Result<SharedMemory> SharedMemory::map(Fd fd, std::size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return system_failure("mapping shared memory");
  return SharedMemory(std::move(fd), {static_cast<std::byte*>(memory), size});
}

SharedMemory::~SharedMemory() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

}  // namespace vipd::io
