// Log: the log lines of the programs. Writes to the systemd journal, with fields, if systemd has connected
// standard error to it, to standard error otherwise.
//
// Never blocks: a line that cannot be written at once is dropped, and the next line has the count. Lines that
// repeat too fast are dropped by key, with a count.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "io/fd.h"

namespace vipd::programs {

enum class Level : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };  // syslog's numbers

using LogFields = std::vector<std::pair<std::string_view, std::string>>;  // journal fields: {"VRID", "51"}

class Log {
 public:
  // program: "vipd", "vipd-router" or "vipd-monitor": the beginning of each line.
  explicit Log(std::string program, Level most_verbose = Level::info);

  void write(Level level, std::string_view text, const LogFields& fields = {});

  // At most one line per key in ten seconds; the next one has the number of dropped ones.
  void write_limited(Level level, const std::string& key, std::string_view text,
                     const LogFields& fields = {});
  // The number dropped since the last line, if a line is due now; otherwise this one counts as dropped.
  std::optional<std::uint64_t> left_out_if_due(const std::string& key);

  void error(std::string_view text) { write(Level::error, text); }
  void warning(std::string_view text) { write(Level::warning, text); }
  void notice(std::string_view text) { write(Level::notice, text); }
  void info(std::string_view text) { write(Level::info, text); }
  void debug(std::string_view text) { write(Level::debug, text); }

 private:
  struct Limit {
    TimePoint last = TimePoint::min();
    std::uint64_t left_out = 0;
  };

  bool to_journal(Level level, std::string_view text, const LogFields& fields);
  bool to_standard_error(Level level, std::string_view text);

  std::string program_;
  Level most_verbose_;
  io::Fd journal_;
  std::uint64_t dropped_ = 0;
  std::map<std::string, Limit> limits_;
};

std::string_view name_of(Level level);  // "warning"

// "error", "warning", "notice", "info", "debug": for --log-level. Returns false for any other word.
bool parse_level(std::string_view text, Level& level);

}  // namespace vipd::programs
