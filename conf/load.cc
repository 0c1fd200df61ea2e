#include "conf/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "conf/schema.h"
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

// One byte more than is allowed is enough to know.
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
      fmt::format("{}: it has more than {} MiB, which no configuration needs", doing, largest_text >> 20));
}

}  // namespace

Loaded load_text(const std::string& name, std::string text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  Loaded loaded{std::nullopt, Diagnostics(name, text)};
  const auto root = read_yaml(text, loaded.diagnostics);
  if (!root) return loaded;
  auto config = read_schema(*root, loaded.diagnostics);
  if (!loaded.diagnostics.has_errors()) loaded.config = std::move(config);
  return loaded;
}

Result<Loaded> load_file(const std::string& path) {
  const auto doing = "reading " + path;
  const OpenFile file(path);
  if (file.descriptor() < 0) return system_failure(doing);
  // Whoever reloads must not wait for the other end of a pipe.
  struct stat status{};
  if (::fstat(file.descriptor(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return failure(doing + ": it is not a regular file");
  auto loaded = load_text(path, TRY(read_all(file, doing)));
  if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0)
    loaded.diagnostics.warning({}, "everybody may write this file, and with it what runs on this node",
                               "chmod o-w " + path);
  return loaded;
}

}  // namespace vipd::conf
