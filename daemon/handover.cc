#include "daemon/handover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "io/shared_memory.h"

namespace vipd::daemon {

namespace {
constexpr std::array<char, 12> magic{"vipd-handov"};
constexpr std::size_t most_bytes = 64 << 20;

struct Head {
  std::array<char, 12> magic;
  std::uint32_t format;
};

Result<> write_all(int fd, const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const auto written = write(fd, from, size);
    if (written < 0) return system_failure("writing the state to be handed over");
    from += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}
}  // namespace

Result<io::Fd> pack(const Handover& handover) {
  auto fd = TRY(io::open_memory_file("vipd-handover"));
  const Head head{magic, handover_format};
  const auto bytes = to_bytes(handover);
  TRY_VOID(write_all(fd.get(), &head, sizeof head));
  TRY_VOID(write_all(fd.get(), bytes.data(), bytes.size()));
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return system_failure("sealing the state to be handed over");
  return fd;
}

Result<Handover> unpack(int fd) {
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  struct stat status{};
  if (fcntl(fd, F_GET_SEALS) < 0 || (fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &status) != 0)
    return failure("the state handed over is not a sealed memory file", EPROTO);
  const auto size = static_cast<std::size_t>(status.st_size);
  Head head{};
  if (size < sizeof head || size > most_bytes || pread(fd, &head, sizeof head, 0) != sizeof head ||
      head.magic != magic)
    return failure("the state handed over is not one of vipd", EPROTO);
  if (head.format != handover_format)
    return failure(
        fmt::format("the state is handed over in format {}, this version (vipd {}) knows format {}",
                    head.format, VIPD_VERSION, handover_format),
        EPROTO);
  std::vector<std::uint8_t> bytes(size - sizeof head);
  if (pread(fd, bytes.data(), bytes.size(), sizeof head) != static_cast<ssize_t>(bytes.size()))
    return system_failure("reading the state handed over");
  auto handover = from_bytes<Handover>(bytes);
  if (!handover) return failure("the state handed over is damaged", EPROTO);
  return std::move(*handover);
}

Result<> keep_open(const std::vector<int>& fds, bool keep) {
  for (const int fd : fds)
    if (fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) != 0)
      return system_failure(fmt::format("handing over descriptor {}", fd));
  return {};
}

}  // namespace vipd::daemon
