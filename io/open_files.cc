#include "io/open_files.h"

#include <filesystem>

namespace vipd::io {

namespace {
namespace fs = std::filesystem;

// A range-for would throw if the process ends during the iteration.
template <class Visit>
void for_each_entry(const fs::path& directory, Visit visit) {
  std::error_code gone;
  for (fs::directory_iterator each(directory, gone), end; !gone && each != end; each.increment(gone))
    if (!visit(each->path())) return;
}

bool has_open(const fs::path& process, const std::string& target) {
  bool found = false;
  for_each_entry(process / "fd", [&](const fs::path& descriptor) {
    std::error_code closed;
    found = fs::read_symlink(descriptor, closed) == target;
    return !found;
  });
  return found;
}
}  // namespace

std::vector<pid_t> users_of(const std::string& target) {
  std::vector<pid_t> users;
  for_each_entry("/proc", [&](const fs::path& process) {
    const auto number = process.filename().string();
    if (number.find_first_not_of("0123456789") == std::string::npos && has_open(process, target))
      users.push_back(std::stoi(number));
    return true;
  });
  return users;
}

}  // namespace vipd::io
