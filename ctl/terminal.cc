#include "ctl/terminal.h"

#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace vipd::ctl {

namespace {
constexpr std::string_view alternate_screen = "\033[?1049h\033[?25l";  // and hides the cursor
constexpr std::string_view usual_screen = "\033[?25h\033[?1049l";
constexpr std::array ending{SIGINT, SIGTERM, SIGHUP};

// Signals only interrupt wait(), which acts on them.
volatile std::sig_atomic_t ended = 0;
void end(int) {
  ended = 1;
}
void look_again(int) {}

void on_signal(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const auto size = write(STDOUT_FILENO, text.data(), text.size());
    if (size < 0 && errno == EINTR && ended == 0) continue;
    if (size < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

Terminal::Key key_of(std::string_view typed) {
  if (typed == "q" || typed == "Q" || typed == "\003" || typed == "\004") return Terminal::Key::quit;
  if (typed == "\032") return Terminal::Key::suspend;
  if (typed == "k" || typed == "\033[A" || typed == "\033OA") return Terminal::Key::up;
  if (typed == "j" || typed == "\033[B" || typed == "\033OB") return Terminal::Key::down;
  if (typed == "\033[5~" || typed == "b") return Terminal::Key::page_up;
  if (typed == "\033[6~" || typed == " ") return Terminal::Key::page_down;
  return Terminal::Key::none;
}
}  // namespace

bool Terminal::is_there() {
  const char* const kind = std::getenv("TERM");
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && kind && *kind != '\0' &&
         std::strcmp(kind, "dumb") != 0;
}

Result<Terminal> Terminal::take() {
  termios before{};
  if (tcgetattr(STDIN_FILENO, &before) != 0) return system_failure("asking for the terminal's settings");
  for (const int signal : ending) on_signal(signal, end);
  on_signal(SIGWINCH, look_again);
  Terminal terminal(before);
  terminal.enter();
  return terminal;
}

Terminal::~Terminal() {
  if (before_) leave();
}

void Terminal::enter() const {
  auto raw = *before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_cc[VMIN] = 0;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  (void)write_all(alternate_screen);
}

void Terminal::leave() const {
  (void)write_all(usual_screen);
  tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

Size Terminal::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool Terminal::has_unicode() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

// Overwrites line by line in one write, to avoid flicker.
bool Terminal::show(const std::vector<std::string>& lines) const {
  std::string page = "\033[H";
  for (std::size_t i = 0; i < lines.size(); ++i) page += (i == 0 ? "" : "\r\n") + lines[i] + "\033[K";
  return write_all(page + "\033[J");
}

Terminal::Key Terminal::wait(int other, int milliseconds) const {
  if (ended != 0) return Key::quit;
  std::array<pollfd, 2> ready{{{STDIN_FILENO, POLLIN, 0}, {other, POLLIN, 0}}};
  if (poll(ready.data(), ready.size(), milliseconds) < 0) return ended != 0 ? Key::quit : Key::none;
  if (ready[0].revents == 0) return Key::none;
  std::array<char, 64> typed;
  const auto size = ::read(STDIN_FILENO, typed.data(), typed.size());
  if (size == 0 || (size < 0 && errno != EINTR && errno != EAGAIN)) return Key::quit;
  return size < 0 ? Key::none : key_of({typed.data(), static_cast<std::size_t>(size)});
}

void Terminal::suspend() {
  leave();
  raise(SIGSTOP);
  enter();
}

}  // namespace vipd::ctl
