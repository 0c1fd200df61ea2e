#include "programs/common/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "programs/common/clock.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr Duration limit_interval = 10s;
constexpr std::size_t most_limits = 4096;  // remembered keys, which come from the network
// A pipe that polls as writable takes this much without blocking (PIPE_BUF).
constexpr std::size_t longest_line = 4096;

constexpr std::array<std::pair<std::string_view, Level>, 5> level_names{{{"error", Level::error},
                                                                         {"warning", Level::warning},
                                                                         {"notice", Level::notice},
                                                                         {"info", Level::info},
                                                                         {"debug", Level::debug}}};

// JOURNAL_STREAM has the device and inode that systemd has connected (systemd.exec(5)).
bool standard_error_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  if (!stream || fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

io::Fd connect_to_journal() {
  io::Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/run/systemd/journal/socket");
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

// The journal's native protocol: NAME=value lines; a value of several lines is preceded by its length.
void append_field(std::string& datagram, std::string_view name, std::string_view value) {
  datagram += name;
  if (value.find('\n') == std::string_view::npos) {
    datagram += '=';
  } else {
    std::array<char, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(value.size() >> (8 * i));
    datagram += '\n';
    datagram.append(length.data(), length.size());
  }
  datagram += value;
  datagram += '\n';
}

}  // namespace

std::string_view name_of(Level level) {
  for (const auto& [name, each] : level_names)
    if (each == level) return name;
  return "?";
}
bool parse_level(std::string_view text, Level& level) {
  for (const auto& [name, each] : level_names) {
    if (name != text) continue;
    level = each;
    return true;
  }
  return false;
}

Log::Log(std::string program, Level most_verbose)
    : program_(std::move(program)), most_verbose_(most_verbose) {
  // The reader of standard error may go away; that must cost a line, not the program.
  std::signal(SIGPIPE, SIG_IGN);
  if (standard_error_is_the_journal()) journal_ = connect_to_journal();
}

void Log::write(Level level, std::string_view text, const LogFields& fields) {
  if (level > most_verbose_) return;
  std::string full(text);
  if (dropped_ > 0) full += fmt::format(" (before this, {} log lines could not be written)", dropped_);
  const bool written = journal_ ? to_journal(level, full, fields) : to_standard_error(level, full);
  dropped_ = written ? 0 : dropped_ + 1;
}

std::optional<std::uint64_t> Log::left_out_if_due(const std::string& key) {
  if (limits_.size() >= most_limits && !limits_.contains(key)) limits_.clear();
  auto& limit = limits_[key];
  const auto time = now();
  if (limit.last != TimePoint::min() && time - limit.last < limit_interval) {
    ++limit.left_out;
    return std::nullopt;
  }
  limit.last = time;
  return std::exchange(limit.left_out, 0);
}

void Log::write_limited(Level level, const std::string& key, std::string_view text, const LogFields& fields) {
  const auto left_out = left_out_if_due(key);
  if (!left_out) return;
  write(level,
        *left_out == 0 ? std::string(text)
                       : fmt::format("{} ({} more since the last such line)", text, *left_out),
        fields);
}

bool Log::to_journal(Level level, std::string_view text, const LogFields& fields) {
  std::string datagram;
  append_field(datagram, "MESSAGE", text);
  append_field(datagram, "PRIORITY", std::to_string(static_cast<int>(level)));
  append_field(datagram, "SYSLOG_IDENTIFIER", program_);
  for (const auto& [name, value] : fields) append_field(datagram, name, value);
  return send(journal_.get(), datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

bool Log::to_standard_error(Level level, std::string_view text) {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  auto line =
      fmt::format("{:%H:%M:%S}.{:03d} {}: {}{}", fmt::localtime(std::chrono::system_clock::to_time_t(time)),
                  time.time_since_epoch().count() % 1000, program_,
                  level <= Level::warning ? std::string(name_of(level)) + ": " : "", text);
  if (line.size() >= longest_line) line.resize(longest_line - 1);
  line += '\n';
  pollfd ready{STDERR_FILENO, POLLOUT, 0};
  if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) return false;
  return ::write(STDERR_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace vipd::programs
