#include "programs/guardian/upgrade.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <string_view>

#include "conf/load.h"
#include "io/clock.h"
#include "io/pipe.h"
#include "programs/common/paths.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr Duration longest_check = 8s;   // how long the guardian waits for the new program
constexpr Duration longest_answer = 3s;  // how long the new program waits for its router and its monitor
constexpr std::size_t longest_reply = 4096;

// Appends the bytes that are there.
void read_some(int fd, std::string& text) {
  std::array<char, 1024> buffer;
  while (text.size() < longest_reply) {
    const auto size = read(fd, buffer.data(), buffer.size());
    if (size <= 0) return;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

bool is_version(const std::string& text) {
  constexpr std::string_view others = ".+~-";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char each) {
    return std::isalnum(each) != 0 || others.find(static_cast<char>(each)) != std::string_view::npos;
  });
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}
}  // namespace

Result<std::unique_ptr<Upgrade>> Upgrade::begin(io::Loop& loop, const std::string& program,
                                                const Handover& handover, TimePoint now, Asked asked) {
  constexpr int its_fd = 3;
  const auto state = TRY(pack(handover));
  auto pipe = TRY(io::make_pipe());
  std::unique_ptr<Upgrade> upgrade(new Upgrade(std::move(asked), now + longest_check));
  io::SpawnOptions options;
  options.output = options.error = pipe.theirs.get();
  options.fds = {{state.get(), its_fd}};
  options.process_group = true;
  options.death_signal = SIGKILL;
  upgrade->process_ = TRY(io::spawn({program, "--check-handover", std::to_string(its_fd)}, options));
  upgrade->output_ = std::move(pipe.ours);
  auto* self = upgrade.get();
  upgrade->ended_ = loop.watch(upgrade->process_.pidfd.get(), [self] { self->ended(); });
  return upgrade;
}

Upgrade::~Upgrade() {
  if (!process_.pidfd || done_) return;
  (void)io::kill_group(process_.pid, SIGKILL);
  (void)io::reap(process_);
}

void Upgrade::tick(TimePoint now) {
  if (now < deadline_) return;
  deadline_ = never;
  (void)io::kill_group(process_.pid, SIGKILL);
}

void Upgrade::ended() {
  read_some(output_.get(), text_);
  (void)io::kill_group(process_.pid, SIGKILL);
  const auto exit = io::reap(process_);
  if (exit && !*exit) return;
  done_ = true;
  ended_.reset();
  const auto text = trimmed(text_);
  if (deadline_ == never)
    return asked_(failure(fmt::format("it did not answer within {}", in_words(longest_check))));
  if (exit && (*exit)->succeeded()) {
    if (!is_version(text)) return asked_(failure("it does not print a version, so it is not vipd"));
    return asked_(text);
  }
  asked_(failure(!text.empty() ? text : exit ? "it ended with " + to_string(**exit) : exit.error().message));
}

// --- in the new program ---------------------------------------------------------------------------------

namespace {
// The output of one of our programs for --version.
Result<std::string> version_of(const std::string& name) {
  const auto path = program_path(name);
  auto pipe = TRY(io::make_pipe());
  io::SpawnOptions options;
  options.output = options.error = pipe.theirs.get();
  options.death_signal = SIGKILL;
  const auto process = TRY(io::spawn({path, "--version"}, options));
  pipe.theirs.reset();
  pollfd end{process.pidfd.get(), POLLIN, 0};
  const int ready =
      poll(&end, 1, static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(longest_answer).count()));
  if (ready <= 0) {
    (void)io::kill(process, SIGKILL);
    return failure(fmt::format("{} does not answer", path));
  }
  std::string text;
  read_some(pipe.ours.get(), text);
  const auto exit = TRY(io::reap(process));
  if (!exit || !exit->succeeded())
    return failure(
        fmt::format("{} does not run: {}", path, text.empty() && exit ? to_string(*exit) : trimmed(text)));
  return trimmed(text);
}

Result<> could_take_over(int fd) {
  const auto handover = TRY(unpack(fd));
  // An older version skips what it does not know of the state, so it could lose something that matters.
  if (is_later(handover.version, VIPD_VERSION))
    return failure(
        fmt::format("it is vipd {}, and vipd {} is running: an upgrade goes to the same or a later "
                    "version; stop vipd and start the older version instead",
                    VIPD_VERSION, handover.version));
  const auto loaded = conf::load_printed("the configuration in force", handover.configuration);
  if (!loaded.config)
    return failure("the new version does not accept the configuration in force:\n" +
                   loaded.diagnostics.render());
  for (const std::string name : {"vipd-router", "vipd-monitor"}) {
    const auto version = TRY(version_of(name));
    const auto wanted = name + " " + VIPD_VERSION;
    if (version != wanted)
      return failure(fmt::format("{} is \"{}\", it must be \"{}\": the installation is incomplete",
                                 program_path(name), version, wanted));
  }
  return {};
}
}  // namespace

int check_handover(int fd) {
  if (const auto could = could_take_over(fd); !could) {
    std::fprintf(stderr, "%s\n", could.error().message.c_str());
    return 1;
  }
  std::printf("%s\n", VIPD_VERSION);
  return 0;
}

}  // namespace vipd::programs
