#include "programs/common/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "io/fd.h"

namespace vipd::programs {

namespace {
// The rights in all versions of Landlock; moving files between directories needs version 2, truncating
// version 3.
constexpr std::uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t first_version =
    reading | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
constexpr std::uint64_t managing = reading | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                                   LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE;
// The rights on a file; a rule for a file must not name others.
constexpr std::uint64_t with_a_file =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_EXECUTE | (1ULL << 14);
constexpr std::uint64_t refer = 1ULL << 13;     // since version 2
constexpr std::uint64_t truncate = 1ULL << 14;  // since version 3

std::uint64_t known_to(int version) {
  return first_version | (version >= 2 ? refer : 0) | (version >= 3 ? truncate : 0);
}

Result<> allow(int rules, const std::string& path, std::uint64_t access) {
  const io::Fd fd(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return {};
  struct stat status{};
  const bool directory = fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode);
  landlock_path_beneath_attr attribute{};
  attribute.allowed_access = directory ? access : access & with_a_file;
  attribute.parent_fd = fd.get();
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attribute, 0) != 0)
    return system_failure("Landlock: allowing " + path);
  return {};
}
}  // namespace

Result<bool> restrict_files(const AllowedPaths& allowed) {
  const auto version =
      static_cast<int>(syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
  if (version < 1) return false;
  const auto known = known_to(version);
  landlock_ruleset_attr attribute{};
  attribute.handled_access_fs = known;
  const io::Fd rules(static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &attribute, sizeof attribute.handled_access_fs, 0)));
  if (!rules) return system_failure("Landlock: making a set of rules");
  for (const auto& path : allowed.readable) TRY_VOID(allow(rules.get(), path, reading));
  for (const auto& path : allowed.writable)
    TRY_VOID(allow(rules.get(), path, known & (reading | LANDLOCK_ACCESS_FS_WRITE_FILE | truncate)));
  for (const auto& path : allowed.managed) TRY_VOID(allow(rules.get(), path, known & (managing | truncate)));
  if (syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0)
    return system_failure("Landlock: taking effect");
  return true;
}

}  // namespace vipd::programs
