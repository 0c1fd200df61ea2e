// The journal on disk: which file is written to and which go, what survives a crash and a full disk, and that
// a failure is reported once.
#include "programs/monitor/journal.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "events/line.h"
#include "events/names.h"
#include "tests/checks/scratch.h"

using namespace vipd;
using namespace vipd::events;
using namespace vipd::programs;
using namespace std::chrono_literals;
using testing::Scratch;

namespace {
const WallTime noon = parse_rfc3339("2026-11-21T12:00:00Z").value();

std::string line(int number, WallTime time = noon) {
  auto event = make_event(command, "number " + std::to_string(number));
  event.id = std::to_string(number);
  event.time = time;
  return to_line(event);
}

std::vector<std::string> lines(std::initializer_list<int> numbers) {
  std::vector<std::string> all;
  for (const int number : numbers) all.push_back(line(number));
  return all;
}

std::string ids(const std::string& directory, WallTime since = WallTime{}) {
  std::string all;
  const auto read = read_journal(directory, since, [&](const Event& event, const std::string&) {
    all += (all.empty() ? "" : " ") + event.id;
  });
  return read ? all : read.error().message;
}

bool becomes_readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return poll(&ready, 1, 5000) == 1;
}

Limits small() {
  return {least_limits.size, 24h};
}
}  // namespace

TEST_CASE("files are numbered, and other files in the directory are ignored") {
  CHECK(journal_file_name(17) == "events-00000017.jsonl");
  CHECK(journal_file_number("events-00000017.jsonl") == 17);
  CHECK(journal_file_number(journal_file_name(123456789012)) == 123456789012);
  for (const auto* other : {"events-.jsonl", "events-1.jsonl.gz", "notes", "events-1x.jsonl",
                            "events--1.jsonl", "events-99999999999999999999.jsonl"})
    CHECK_FALSE(journal_file_number(other).has_value());
}

TEST_CASE("a file is full with an eighth of the size or a sixteenth of the age; an empty one never") {
  const Limits limits{8000, 16h};
  CHECK_FALSE(is_full({1, 0, noon}, 5000, noon - 100h, noon, limits));
  CHECK_FALSE(is_full({1, 900, noon}, 100, noon, noon, limits));
  CHECK(is_full({1, 901, noon}, 100, noon, noon, limits));
  CHECK_FALSE(is_full({1, 10, noon}, 100, noon - 1h, noon, limits));
  CHECK(is_full({1, 10, noon}, 100, noon - 61min, noon, limits));
  CHECK_FALSE(is_full({1, 10, noon}, 100, noon + 1h, noon, limits));  // the clock was set back
}

TEST_CASE("the oldest files go when all are too large or too old, and never the one that is written to") {
  const Limits limits{8000, 24h};
  const std::vector<JournalFile> files{
      {1, 3000, noon - 2h}, {2, 3000, noon - 1h}, {3, 3000, noon}, {4, 900, noon}};
  CHECK(outdated(files, noon, limits) == std::vector<std::uint64_t>{1});
  CHECK(outdated(files, noon + 23h + 30min, limits) == std::vector<std::uint64_t>{1, 2});
  CHECK(outdated(files, noon + 1000h, limits) == std::vector<std::uint64_t>{1, 2, 3});
  CHECK(outdated(std::vector<JournalFile>{{9, 100'000, noon}}, noon + 1000h, limits).empty());
  CHECK(outdated({}, noon, limits).empty());
}

TEST_CASE("written events can be read from any moment on, the oldest first") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  JournalFiles files(directory, small());
  REQUIRE(files.append(lines({1, 2}), noon));
  REQUIRE(files.append(std::vector{line(3, noon + 1h)}, noon + 1h));
  CHECK(ids(directory) == "1 2 3");
  CHECK(ids(directory, noon + 1min) == "3");
  CHECK(ids(scratch.path() + "/none") == "reading " + scratch.path() + "/none: No such file or directory");
}

TEST_CASE("all files together stay within their size, however much is written") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  JournalFiles files(directory, small());
  for (int i = 0; i < 2000; ++i) REQUIRE(files.append(lines({i}), noon));
  std::uint64_t total = 0;
  const auto left = list_journal(directory).value();
  for (const auto& file : left) total += file.size;
  CHECK(total <= small().size);
  CHECK(total > small().size / 2);
  CHECK(left.size() > 4);
  CHECK(left.front().number > 1);
  CHECK(ids(directory).ends_with("1998 1999"));
}

TEST_CASE("a line truncated by a crash costs no other line, and the next run continues after it") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  REQUIRE(JournalFiles(directory, small()).append(lines({1}), noon));
  std::ofstream(directory + "/" + journal_file_name(1), std::ios::app) << line(2).substr(0, 20);
  REQUIRE(JournalFiles(directory, small()).append(lines({3}), noon));
  CHECK(ids(directory) == "1 3");
  CHECK(list_journal(directory).value().size() == 1);
}

TEST_CASE("a removed directory is made again") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  JournalFiles files(directory, small());
  REQUIRE(files.append(lines({1}), noon));
  std::filesystem::remove_all(directory);
  REQUIRE(files.append(lines({2}), noon));
  CHECK(ids(directory) == "2");
}

TEST_CASE("a file that is a link, or a pipe, is not written to") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  std::filesystem::create_directory(directory);
  const auto other = scratch.file("other", "");
  std::filesystem::create_symlink(other, directory + "/" + journal_file_name(1));
  CHECK_FALSE(JournalFiles(directory, small()).append(lines({1}), noon));
  CHECK(std::filesystem::file_size(other) == 0);
  std::filesystem::remove(directory + "/" + journal_file_name(1));
  REQUIRE(mkfifo((directory + "/" + journal_file_name(1)).c_str(), 0600) == 0);
  CHECK_FALSE(JournalFiles(directory, small()).append(lines({1}), noon));
}

TEST_CASE("a journal that cannot be written says so once, and once when it can; nothing is missing then") {
  const Scratch scratch;
  const auto above = scratch.path() + "/not-there-yet";
  {
    Journal journal(above + "/events", small(), 1ms);
    journal.write(line(1));
    REQUIRE(becomes_readable(journal.fd()));
    const auto state = journal.state();
    CHECK(state.trouble == "making " + above + "/events: No such file or directory");
    CHECK(state.lost == 0);
    journal.write(line(2));
    std::filesystem::create_directory(above);
    REQUIRE(becomes_readable(journal.fd()));  // nothing in between
    CHECK(journal.state() == Journal::State{});
  }
  CHECK(ids(above + "/events") == "1 2");
}

TEST_CASE("waiting lines are bounded while the disk blocks: the oldest are dropped and counted") {
  const Scratch scratch;
  const auto above = scratch.path() + "/not-there-yet";
  {
    Journal journal(above + "/events", {std::uint64_t{1} << 30, 24h}, 1ms);
    for (std::size_t i = 0; i < Journal::most_waiting + 500; ++i) journal.write(line(static_cast<int>(i)));
    REQUIRE(becomes_readable(journal.fd()));
    while (journal.state().lost < 200) journal.write(line(0));
    std::filesystem::create_directory(above);
    REQUIRE(becomes_readable(journal.fd()));
    CHECK(journal.state().trouble.empty());
  }
  std::size_t count = 0;
  REQUIRE(read_journal(above + "/events", WallTime{}, [&](const Event&, const std::string&) { ++count; }));
  CHECK(count <= Journal::most_waiting);
  CHECK(count > Journal::most_waiting / 2);
}

TEST_CASE("the last lines are on the disk when the journal ends") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  {
    Journal journal(directory, small());
    for (int i = 0; i < 100; ++i) journal.write(line(i));
  }
  CHECK(ids(directory).ends_with("98 99"));
}

TEST_CASE(
    "two that write to one directory do not mix: the second one is told, and writes when the first has "
    "gone") {
  const Scratch scratch;
  const auto directory = scratch.path() + "/events";
  auto first = std::make_optional<JournalFiles>(directory, Limits{});
  JournalFiles second(directory, {});
  const std::vector<std::string> line{"{}"};
  REQUIRE(first->append(line, WallTime{}));
  const auto refused = second.append(line, WallTime{});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EBUSY);
  CHECK(refused.error().message == "another vipd writes to " + directory + ": give each its own --state-dir");
  CHECK(list_journal(directory).value().front().size == 3);
  first.reset();
  CHECK(second.append(line, WallTime{}));
}
