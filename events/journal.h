// Journal: writes events to disk from a thread of its own, because a disk may take seconds, or for ever, for
// what it is told: the monitor, which has the journal, runs health checks meanwhile. write() takes a lock
// that is never held while the disk is busy, and nothing else.
//
// What cannot be written waits, up to a bound, and is tried again every few seconds. That it does not work is
// told once, and that it works again once: in state(), when fd() becomes readable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "base/time.h"
#include "events/journal_files.h"

namespace vipd::events {

class Journal {
 public:
  static constexpr std::size_t most_waiting = 4096;  // lines

  // Starts the thread. What blocks signals must be done before.
  Journal(std::string directory, Limits limits, Duration retry = std::chrono::seconds(5));
  Journal(const Journal&) = delete;
  ~Journal();  // what waits is written, if the disk takes it within a second

  void write(std::string line);
  void set_limits(Limits limits);

  struct State {
    std::string trouble;     // why it does not work; empty: it does
    std::uint64_t lost = 0;  // lines that did not fit while it did not work; since the start
    bool operator==(const State&) const = default;
  };
  int fd() const;  // readable: state() has changed. Reading the state makes it silent
  State state();

  const std::string& directory() const { return directory_; }

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared, const std::string& directory, Duration retry);

  std::string directory_;
  std::shared_ptr<Shared> shared_;  // with the thread, which may outlive us in a disk's hands
  std::thread thread_;
};

}  // namespace vipd::events
