// EventFifos: the named pipes that programs of operators read events from. It never waits: a line that no
// process reads is lost, and the loss is reported once.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::programs {

class EventFifos {
 public:
  // Makes those that do not exist, so that a reader may open them before the first event, and closes others.
  void replace(const std::set<std::string>& paths);

  // Writes a line. Returns why it is lost, unless it is the same trouble as with the last line.
  std::optional<std::string> write(const std::string& path, const std::string& line);

 private:
  struct Fifo {
    io::Fd fd;
    std::string trouble;  // the reported reason why nothing is written; empty: it works
  };
  static Result<> open(Fifo& fifo, const std::string& path);
  static Result<> write(Fifo& fifo, const std::string& path, const std::string& line);

  std::map<std::string, Fifo> fifos_;  // by path
};

}  // namespace vipd::programs
