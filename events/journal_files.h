// JournalFiles: the events on disk, as files of JSON lines (events/line.h) in a directory of their own:
// events-00000001.jsonl, events-00000002.jsonl ... The one with the highest number is written to; when it has
// an eighth of the total size limit, or a sixteenth of the age limit, the next one is begun; the oldest are
// removed when the total is too large, or when they are too old. Nothing is ever renamed or rewritten, so
// that a reader needs no lock.
//
// It blocks as disks do; programs that must not block use a thread (programs/monitor/journal.h).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "events/event.h"
#include "events/limits.h"
#include "io/fd.h"

namespace vipd::events {

struct JournalFile {
  std::uint64_t number = 0;
  std::uint64_t size = 0;  // bytes
  WallTime written{};      // last write
  bool operator==(const JournalFile&) const = default;
};

std::string journal_file_name(std::uint64_t number);
std::optional<std::uint64_t> journal_file_number(std::string_view name);  // nothing: not a journal file

// Whether the next line belongs in a new file. begun: when the first line of this one was written.
bool is_full(const JournalFile& file, std::uint64_t next_line, WallTime begun, WallTime now,
             const Limits& limits);
// The numbers of the files to remove; never the last, the current one. files: by ascending number.
std::vector<std::uint64_t> outdated(std::span<const JournalFile> files, WallTime now, const Limits& limits);

// By ascending number.
Result<std::vector<JournalFile>> list_journal(const std::string& directory);

class JournalFiles {
 public:
  JournalFiles(std::string directory, Limits limits) : directory_(std::move(directory)), limits_(limits) {}

  // Writes all of the lines, or none: a line truncated by a full disk is undone. Makes the directory if
  // necessary, but not its parent. The lines are on the disk when it returns. EBUSY: another vipd writes
  // there.
  Result<> append(std::span<const std::string> lines, WallTime now);

 private:
  Result<> open_last(WallTime now);
  Result<> open_file(std::uint64_t number, WallTime now);
  Result<> remove_outdated(WallTime now);
  Result<> write(const std::string& text);
  bool is_still_there() const;

  std::string directory_;
  Limits limits_;
  io::Fd fd_;
  JournalFile file_;  // the current one
  WallTime begun_{};
};

// Calls each(event, line) for the events from `since` on, oldest first. Skips lines that are not events.
// ENOENT: there is no journal.
Result<> read_journal(const std::string& directory, WallTime since,
                      const std::function<void(const Event& event, const std::string& line)>& each);

}  // namespace vipd::events
