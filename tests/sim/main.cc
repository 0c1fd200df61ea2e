// sim: plays seeds, many times faster than real time.
//
//   sim [--seeds N] [--from S] [--jobs J] [--timeline]
//   sim_mutants --broken NAME [--seeds N] ...
//
// A seed that breaks a sentence is printed with what happened before, and with the command that replays it.
// --timeline prints all that happened, good or bad. sim_mutants plays the engine with one of the mistakes in
// mutants.txt: it succeeds if a sentence is broken.
#include <fmt/format.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/broken.h"
#include "tests/sim/play.h"

namespace {
using namespace vipd;
using namespace vipd::sim;

constexpr std::size_t lines_before = 60;  // of the timeline, before a sentence is broken

struct Arguments {
  std::uint64_t seeds = 100;
  std::uint64_t from = 1;
  std::uint64_t jobs = 1;
  bool timeline = false;
  bool expect_violation = false;  // a mutant is played
};

// What one process has done: numbers through a pipe, and the first broken sentence.
struct Tally {
  std::uint64_t seeds = 0;
  double simulated = 0;  // seconds
  double processor = 0;  // seconds
  std::uint64_t messages = 0;
  std::uint64_t broken = 0;  // the seed; 0: none
  std::uint64_t text_size = 0;
};

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

std::string last_lines(const std::string& text, std::size_t count) {
  auto begin = text.size();
  for (std::size_t i = 0; i <= count && begin != std::string::npos && begin > 0; ++i)
    begin = text.rfind('\n', begin - 1);
  return begin == std::string::npos || begin == 0 ? text : "     ...\n" + text.substr(begin + 1);
}

// Played again, with everything written down.
std::string report(std::uint64_t seed, bool all) {
  Play play(seed, true);
  play.run();
  auto text =
      fmt::format("seed {}: {}\n{}", seed, play.setup().description(),
                  (all ? play.timeline() : last_lines(play.timeline(), lines_before)) + play.status());
  if (const auto& violation = play.violation())
    text += fmt::format(
        "seed {} breaks a sentence at {} s: {}\n  {}\nreplay: ./dev sim --seeds 1 --from {} --timeline\n",
        seed, scenarios::seconds(violation->when - Moment{}), violation->sentence, violation->what, seed);
  return text;
}

void write_all(int fd, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const auto written = ::write(fd, bytes, size);
    if (written <= 0) _exit(3);
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

bool read_all(int fd, void* data, std::size_t size) {
  auto* bytes = static_cast<char*>(data);
  while (size > 0) {
    const auto got = ::read(fd, bytes, size);
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// Every `jobs`th seed, until one breaks a sentence.
void work(const Arguments& arguments, std::uint64_t job, int fd) {
  Tally tally;
  std::string text;
  for (auto i = job; i < arguments.seeds && tally.broken == 0; i += arguments.jobs) {
    const auto seed = arguments.from + i;
    Play play(seed, false);
    play.run();
    ++tally.seeds;
    tally.simulated += std::chrono::duration<double>(play.simulated()).count();
    tally.messages += play.messages();
    if (play.violation()) tally.broken = seed;
    if (arguments.timeline || (play.violation() && !arguments.expect_violation))
      text += report(seed, arguments.timeline);
    if (play.violation() && arguments.expect_violation)
      text = fmt::format("caught by seed {}, after {} seeds: {}\n  {}\n", seed, i + 1,
                         play.violation()->sentence, play.violation()->what);
  }
  tally.processor = processor_seconds();
  tally.text_size = text.size();
  write_all(fd, &tally, sizeof tally);
  write_all(fd, text.data(), text.size());
}

int usage() {
  fmt::print(stderr, "sim [--seeds N] [--from S] [--jobs J] [--timeline]\n");
  return 2;
}

bool parse(const std::vector<std::string_view>& words, Arguments& arguments) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--timeline") {
      arguments.timeline = true;
    } else if (words[i] == "--broken") {
      if (++i == words.size()) return false;
      chosen_mutant = words[i];
      arguments.expect_violation = true;
    } else {
      auto* value = words[i] == "--seeds"  ? &arguments.seeds
                    : words[i] == "--from" ? &arguments.from
                    : words[i] == "--jobs" ? &arguments.jobs
                                           : nullptr;
      if (!value || ++i == words.size()) return false;
      const auto read = std::from_chars(words[i].begin(), words[i].end(), *value);
      if (read.ec != std::errc{} || read.ptr != words[i].end() || *value == 0) return false;
    }
  }
  return true;
}
}  // namespace

int main(int count, char** words) {
  Arguments arguments;
  if (!parse({words + 1, words + count}, arguments)) return usage();
  arguments.jobs = std::min(arguments.jobs, arguments.seeds);

  std::vector<int> pipes;
  std::vector<pid_t> children;
  std::fflush(stdout);
  for (std::uint64_t job = 0; job < arguments.jobs; ++job) {
    int ends[2];
    if (pipe(ends) != 0) return 3;
    const auto child = fork();
    if (child < 0) return 3;
    if (child == 0) {
      close(ends[0]);
      work(arguments, job, ends[1]);
      _exit(0);
    }
    close(ends[1]);
    pipes.push_back(ends[0]);
    children.push_back(child);
  }

  Tally all;
  bool complete = true;
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    Tally tally;
    std::string text;
    bool good = read_all(pipes[i], &tally, sizeof tally);
    text.resize(good ? tally.text_size : 0);
    good = good && read_all(pipes[i], text.data(), text.size());
    int status = 0;
    waitpid(children[i], &status, 0);
    if (!good || status != 0) {
      fmt::print("process {} of {} ended early, with status {}: an assertion of the engine?\n", i + 1,
                 pipes.size(), status);
      complete = false;
      continue;
    }
    fmt::print("{}", text);
    all.seeds += tally.seeds;
    all.simulated += tally.simulated;
    all.processor += tally.processor;
    all.messages += tally.messages;
    if (tally.broken != 0) all.broken = all.broken == 0 ? tally.broken : std::min(all.broken, tally.broken);
  }
  fmt::print(
      "{} seeds, {:.0f} simulated seconds, {} messages, {:.1f} s of processor time: {:.0f} times faster than "
      "real time per core\n",
      all.seeds, all.simulated, all.messages, all.processor, all.simulated / all.processor);
  if (arguments.expect_violation) {
    if (all.broken == 0 && complete) fmt::print("no sentence was broken, and one should have been\n");
    return all.broken != 0 || !complete ? 0 : 1;
  }
  return all.broken != 0 || !complete ? 1 : 0;
}
