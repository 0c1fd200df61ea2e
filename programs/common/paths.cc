#include "programs/common/paths.h"

#include <unistd.h>

#include <filesystem>

namespace vipd::programs {

Invocation invocation(int argc, char** argv) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return {error ? std::string(argv[0]) : self.string(), {argv + 1, argv + argc}};
}

std::string program_path(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    const auto beside = self.parent_path() / name;
    if (access(beside.c_str(), X_OK) == 0) return beside;
  }
  return std::string(VIPD_LIBEXEC_DIR) + "/" + name;
}

}  // namespace vipd::programs
