#include "programs/guardian/handover.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "io/shared_memory.h"

namespace vipd::programs {

namespace {
constexpr std::array<char, 12> magic{"vipd-handov"};
constexpr std::size_t most_bytes = 64 << 20;

struct Head {
  std::array<char, 12> magic;
  std::uint32_t format;
};

Result<> write_all(int fd, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto written = write(fd, bytes.data(), bytes.size());
    if (written < 0) return system_failure("writing the handover state");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}
}  // namespace

std::vector<std::uint8_t> encode(const Handover& handover) {
  const Head head{magic, handover_format};
  std::vector<std::uint8_t> bytes(sizeof head);
  std::memcpy(bytes.data(), &head, sizeof head);
  const auto state = to_bytes(handover);
  bytes.insert(bytes.end(), state.begin(), state.end());
  return bytes;
}

Result<Handover> decode_handover(std::span<const std::uint8_t> bytes) {
  Head head{};
  if (bytes.size() >= sizeof head) std::memcpy(&head, bytes.data(), sizeof head);
  if (head.magic != magic) return failure("the handover state is not from vipd", EPROTO);
  if (head.format != handover_format && head.format != handover_format_of_release_0_1)
    return failure(
        fmt::format("the handover state has format {}, this version (vipd {}) reads formats {} and {}",
                    head.format, VIPD_VERSION, handover_format_of_release_0_1, handover_format),
        EPROTO);
  const auto format = head.format == handover_format ? ArchiveFormat::tagged : ArchiveFormat::release_0_1;
  auto handover = from_bytes<Handover>(bytes.subspan(sizeof head), format);
  if (!handover) return failure("the handover state is damaged", EPROTO);
  handover->format = format;
  return std::move(*handover);
}

namespace {
// The number at the front, which is removed together with what separates it from the next one.
std::uint64_t next_number(std::string_view& version) {
  std::uint64_t number = 0;
  const auto digits = std::min(version.find_first_not_of("0123456789"), version.size());
  const auto error = std::from_chars(version.begin(), version.begin() + digits, number).ec;
  version.remove_prefix(std::min(digits + 1, version.size()));
  return error == std::errc() ? number : 0;
}
}  // namespace

bool is_later(std::string_view version, std::string_view than) {
  while (!version.empty() || !than.empty())
    if (const auto left = next_number(version), right = next_number(than); left != right) return left > right;
  return false;
}

Result<io::Fd> pack(const Handover& handover) {
  auto fd = TRY(io::open_memory_file("vipd-handover"));
  TRY_VOID(write_all(fd.get(), encode(handover)));
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return system_failure("sealing the handover state");
  return fd;
}

Result<Handover> unpack(int fd) {
  constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  struct stat status{};
  if (fcntl(fd, F_GET_SEALS) < 0 || (fcntl(fd, F_GET_SEALS) & seals) != seals || fstat(fd, &status) != 0)
    return failure("the handover state is not in a sealed memory file", EPROTO);
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size > most_bytes) return failure("the handover state is not from vipd", EPROTO);
  std::vector<std::uint8_t> bytes(size);
  if (pread(fd, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return system_failure("reading the handover state");
  return decode_handover(bytes);
}

Result<> keep_open(const std::vector<int>& fds, bool keep) {
  for (const int fd : fds)
    if (fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) != 0)
      return system_failure(fmt::format("handing over descriptor {}", fd));
  return {};
}

}  // namespace vipd::programs
