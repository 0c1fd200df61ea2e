// Terminal: shows a page on the alternate screen of the terminal and reports keys as they are pressed. The
// destructor restores the terminal, whatever ends the program. One object at a time.
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

  // Whether there is a terminal that can do this.
  static bool is_there();
  static Result<Terminal> take();
  Terminal(Terminal&& other) noexcept : before_(std::exchange(other.before_, std::nullopt)) {}
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  static Size size();
  static bool has_unicode();
  // Replaces the page. False: the terminal has gone.
  bool show(const std::vector<std::string>& lines) const;
  // Waits for a key, a signal or `other` (a descriptor), at most `milliseconds`. quit: also if the terminal
  // has gone, or on SIGINT, SIGTERM, SIGHUP.
  Key wait(int other, int milliseconds) const;
  // Ctrl-Z: restores the terminal, stops the process, and takes the terminal again.
  void suspend();

 private:
  explicit Terminal(const termios& before) : before_(before) {}
  void enter() const;
  void leave() const;

  std::optional<termios> before_;
};

}  // namespace vipd::ctl
