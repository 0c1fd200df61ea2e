#include "conf/surroundings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "conf/yaml.h"

namespace vipd::conf {

namespace {

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Reading stops once the file exceeds the limit.
Result<std::string> read_all(const OpenFile& file, const std::string& doing) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= largest_text) {
    const auto count = ::read(file.descriptor(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(doing);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return failure(
      fmt::format("{}: it is larger than {} MiB, the limit for a configuration", doing, largest_text >> 20));
}

Result<FileText> read_file(const std::string& path) {
  const auto doing = "cannot read " + path;
  const OpenFile file(path);
  if (file.descriptor() < 0) return system_failure(doing);
  // A reload must not wait for the other end of a pipe.
  struct stat status{};
  if (::fstat(file.descriptor(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return failure(doing + ": it is not a regular file");
  const bool everybody = S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0;
  return FileText{TRY(read_all(file, doing)), everybody};
}

std::vector<std::string> match(const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) return {pattern};
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  // A directory that cannot be listed is not empty: reading it reports the reason.
  const auto directory = pattern.substr(0, pattern.rfind('/'));
  if (paths.empty() && ::access(directory.c_str(), R_OK | X_OK) != 0 && errno == EACCES) return {directory};
  return paths;
}

std::optional<std::string> environment(const std::string& name) {
  const char* const value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

Surroundings surroundings_of_this_process(const std::string& node) {
  return {read_file, match, environment, node.empty() ? host_name() : node};
}

}  // namespace vipd::conf
