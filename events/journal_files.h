// JournalFiles: the events on disk, as files of JSON lines (events/line.h) in a directory of their own:
// events-00000001.jsonl, events-00000002.jsonl ... The one with the highest number is written to; when it has
// an eighth of the size that all may have, or a sixteenth of the age, the next one is begun; the oldest go
// when all together are too large, or too old. Nothing is ever renamed or rewritten, so that a reader needs
// no lock.
//
// It blocks as disks do: whoever may not block has a thread for it (events/journal.h).
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
  WallTime written{};      // for the last time
  bool operator==(const JournalFile&) const = default;
};

std::string journal_file_name(std::uint64_t number);
std::optional<std::uint64_t> journal_file_number(std::string_view name);  // nothing: it is none of ours

// Whether the next line belongs into another file. begun: when the first line of this one was written.
bool is_full(const JournalFile& file, std::uint64_t next_line, WallTime begun, WallTime now,
             const Limits& limits);
// The numbers of those that must go; never the last, which is written to. files: by rising number.
std::vector<std::uint64_t> outdated(std::span<const JournalFile> files, WallTime now, const Limits& limits);

// By rising number.
Result<std::vector<JournalFile>> list_journal(const std::string& directory);

class JournalFiles {
 public:
  JournalFiles(std::string directory, Limits limits) : directory_(std::move(directory)), limits_(limits) {}

  // All of the lines, or none: what a full disk has cut off is taken back. Makes the directory if it is not
  // there, but not the one above. They are on the disk when it returns. EBUSY: somebody else writes there.
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
  JournalFile file_;  // that is written to
  WallTime begun_{};
};

// Calls each(event, line) for what is there and not before `since`, the oldest first. Lines that are no
// events are left out. ENOENT: there is no journal.
Result<> read_journal(const std::string& directory, WallTime since,
                      const std::function<void(const Event& event, const std::string& line)>& each);

}  // namespace vipd::events
