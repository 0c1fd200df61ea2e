#include "events/journal_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

#include "events/line.h"

namespace vipd::events {

namespace {
constexpr std::string_view prefix = "events-";
constexpr std::string_view suffix = ".jsonl";
constexpr std::uint64_t most_files = 8;  // of full size
constexpr int most_files_by_age = 16;
constexpr mode_t directory_mode = 0750;
constexpr mode_t file_mode = 0640;
constexpr std::size_t longest_line = 64 << 10;  // readers skip longer ones
// Tolerance for file times after the clock was stepped.
constexpr std::chrono::hours clock_margin{48};

WallTime to_wall_time(const timespec& time) {
  return WallTime(std::chrono::milliseconds(std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000));
}

// The first line of a file has the time of its beginning.
std::optional<WallTime> first_time(int fd) {
  std::string text(longest_line, '\0');
  const auto size = pread(fd, text.data(), text.size(), 0);
  if (size <= 0) return std::nullopt;
  text.resize(std::min(static_cast<std::size_t>(size), text.find('\n')));
  const auto event = parse_line(text);
  return event ? std::optional(event->time) : std::nullopt;
}
}  // namespace

std::string journal_file_name(std::uint64_t number) {
  return fmt::format("{}{:08}{}", prefix, number, suffix);
}

std::optional<std::uint64_t> journal_file_number(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  constexpr std::size_t most_digits = 18;
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (name.size() > most_digits || code != std::errc{} || end != name.data() + name.size())
    return std::nullopt;
  return number;
}

bool is_full(const JournalFile& file, std::uint64_t next_line, WallTime begun, WallTime now,
             const Limits& limits) {
  if (file.size == 0) return false;
  return file.size + next_line > limits.size / most_files || now - begun > limits.age / most_files_by_age;
}

std::vector<std::uint64_t> outdated(std::span<const JournalFile> files, WallTime now, const Limits& limits) {
  std::vector<std::uint64_t> numbers;
  std::uint64_t total = 0;
  for (const auto& file : files) total += file.size;
  // Leaves room for the current file, until it is full.
  const auto room = limits.size - limits.size / most_files;
  const auto last = files.empty() ? files : files.first(files.size() - 1);
  for (const auto& file : last) {
    if (total <= room && now - file.written <= limits.age) continue;
    numbers.push_back(file.number);
    total -= file.size;
  }
  return numbers;
}

Result<std::vector<JournalFile>> list_journal(const std::string& directory) {
  std::error_code error;
  std::vector<JournalFile> files;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const auto number = journal_file_number(entry->path().filename().string());
    struct stat status{};
    if (!number || stat(entry->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    files.push_back({*number, static_cast<std::uint64_t>(status.st_size), to_wall_time(status.st_mtim)});
  }
  if (error) return system_failure("reading " + directory, error.value());
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
  return files;
}

Result<> JournalFiles::append(std::span<const std::string> lines, WallTime now) {
  if (!is_still_there()) TRY_VOID(open_last(now));
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  if (is_full(file_, text.size(), begun_, now, limits_)) {
    TRY_VOID(open_file(file_.number + 1, now));
    TRY_VOID(remove_outdated(now));
  }
  if (file_.size == 0) begun_ = now;
  return write(text);
}

// The file, or the whole directory, may have been removed.
bool JournalFiles::is_still_there() const {
  struct stat ours{};
  struct stat there{};
  return fd_ && fstat(fd_.get(), &ours) == 0 &&
         stat((directory_ + "/" + journal_file_name(file_.number)).c_str(), &there) == 0 &&
         ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

Result<> JournalFiles::open_last(WallTime now) {
  fd_.reset();
  if (mkdir(directory_.c_str(), directory_mode) != 0 && errno != EEXIST)
    return system_failure("making " + directory_);
  const auto files = TRY(list_journal(directory_));
  TRY_VOID(open_file(files.empty() ? 1 : files.back().number, now));
  return remove_outdated(now);
}

Result<> JournalFiles::open_file(std::uint64_t number, WallTime now) {
  const auto path = directory_ + "/" + journal_file_name(number);
  io::Fd fd(open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, file_mode));
  struct stat status{};
  if (!fd || fstat(fd.get(), &status) != 0) return system_failure("opening " + path);
  if (!S_ISREG(status.st_mode)) return failure(path + " is not a file", EINVAL);
  // Two vipd with one directory would mix their events, and remove each other's files.
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return failure(errno == EWOULDBLOCK
                       ? "another vipd writes to " + directory_ + ": give each its own --state-dir"
                       : "locking " + path + ": " + std::strerror(errno),
                   errno == EWOULDBLOCK ? EBUSY : errno);
  fd_ = std::move(fd);
  file_ = {number, static_cast<std::uint64_t>(status.st_size), to_wall_time(status.st_mtim)};
  begun_ = first_time(fd_.get()).value_or(now);
  if (file_.size == 0) return {};
  // Ends a line that a crash has truncated, so that the next one stays separate.
  char last = '\n';
  if (pread(fd_.get(), &last, 1, status.st_size - 1) == 1 && last != '\n') return write("\n");
  return {};
}

Result<> JournalFiles::remove_outdated(WallTime now) {
  const auto files = TRY(list_journal(directory_));
  for (const auto number : outdated(files, now, limits_)) {
    const auto path = directory_ + "/" + journal_file_name(number);
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("removing " + path);
  }
  return {};
}

Result<> JournalFiles::write(const std::string& text) {
  const auto doing = "writing " + directory_ + "/" + journal_file_name(file_.number);
  std::size_t written = 0;
  int code = 0;
  while (written < text.size() && code == 0) {
    const auto count = ::write(fd_.get(), text.data() + written, text.size() - written);
    if (count >= 0)
      written += static_cast<std::size_t>(count);
    else if (errno != EINTR)
      code = errno;
  }
  if (code == 0 && fdatasync(fd_.get()) != 0) code = errno;
  if (code == 0) {
    file_.size += text.size();
    return {};
  }
  [[maybe_unused]] const int taken_back = ftruncate(fd_.get(), static_cast<off_t>(file_.size));
  fd_.reset();
  return system_failure(doing, code);
}

Result<> read_journal(const std::string& directory, WallTime since,
                      const std::function<void(const Event& event, const std::string& line)>& each) {
  const auto files = TRY(list_journal(directory));
  for (const auto& file : files) {
    if (file.written + clock_margin < since) continue;
    const auto path = directory + "/" + journal_file_name(file.number);
    std::ifstream stream(path);
    if (!stream && errno == ENOENT) continue;  // it was just removed as too old
    if (!stream) return system_failure("reading " + path);
    std::string line;
    while (std::getline(stream, line)) {
      if (line.size() > longest_line) continue;
      const auto event = parse_line(line);
      if (event && event->time >= since) each(*event, line);
    }
  }
  return {};
}

}  // namespace vipd::events
