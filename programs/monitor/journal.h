// Journal: writes events to disk from its own thread, because a disk may block for seconds, or for ever,
// while the monitor, which has the journal, must run health checks. write() only takes a lock that is never
// held while the disk is busy.
//
// Lines that cannot be written wait, up to a bound, and are retried every few seconds. A failure, and its
// end, are reported once each: in state(), when fd() becomes readable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/time.h"
#include "events/journal_files.h"

namespace vipd::programs {

class Journal {
 public:
  static constexpr std::size_t most_waiting = 4096;  // lines

  // Starts the thread. Block signals before.
  Journal(std::string directory, events::Limits limits, Duration retry = std::chrono::seconds(5));
  Journal(const Journal&) = delete;
  ~Journal();  // writes waiting lines, if the disk takes them within a second

  void write(std::string line);
  void set_limits(events::Limits limits);

  struct State {
    std::string trouble;     // the failure; empty: it works
    std::uint64_t lost = 0;  // lines dropped during failures, since the start
    bool operator==(const State&) const = default;
  };
  int fd() const;  // readable: state() has changed, until it is read
  State state();

  const std::string& directory() const { return directory_; }

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared, const std::string& directory, Duration retry);

  std::string directory_;
  std::shared_ptr<Shared> shared_;  // with the thread, which a blocking disk may keep alive longer
  std::thread thread_;
};

}  // namespace vipd::programs
