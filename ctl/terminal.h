// Terminal: a terminal that shows a page of its own (the alternate screen) and tells keys as they are
// pressed, until the object goes; then it is as it was, whatever ends the program. One at a time.
#pragma once

#include <termios.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ctl/screen.h"

namespace vipd::ctl {

class Terminal {
 public:
  enum class Key { none, quit, up, down, page_up, page_down, suspend };

  // Whether there is one that can do it.
  static bool is_there();
  static Result<Terminal> take();
  Terminal(Terminal&& other) noexcept : before_(std::exchange(other.before_, std::nullopt)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  static Size size();
  static bool has_unicode();
  // In place of what is there. False: the terminal has gone.
  bool show(const std::vector<std::string>& lines) const;
  // Waits for a key, a signal or `other` (a descriptor) for `milliseconds` at most. quit: also if the
  // terminal has gone, or for SIGINT, SIGTERM, SIGHUP.
  Key wait(int other, int milliseconds) const;
  // As Ctrl-Z does it elsewhere: gives the terminal back, stops, and takes it again.
  void suspend();

 private:
  explicit Terminal(const termios& before) : before_(before) {}
  void enter() const;
  void leave() const;

  std::optional<termios> before_;
};

}  // namespace vipd::ctl
