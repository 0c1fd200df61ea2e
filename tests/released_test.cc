// What released versions of vipd wrote, read with the code of this one: an upgrade must understand all of it.
// tests/released/README.md says how the bytes came about.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "conf/load.h"
#include "record/recording.h"
#include "tests/released/samples.h"
#include "tests/source_tree.h"

using namespace vipd;
using namespace vipd::tests;

namespace {
using Bytes = std::vector<std::uint8_t>;
using Archives = std::map<std::string, Bytes>;

const std::string folder = "tests/released/";
// The first release, which wrote no tags, and the one that is being prepared.
const std::string first_release = "0.1.0";
const std::string next_release = "next";

// A line with a name, then indented lines of hexadecimal digits.
Archives archives_of(const std::string& release) {
  Archives archives;
  Bytes* current = nullptr;
  for (const auto& line : source_file(folder + release + "/archives.hex").lines) {
    if (!line.starts_with("  ")) {
      current = &archives[line];
      continue;
    }
    REQUIRE(current);
    for (std::size_t i = 2; i + 1 < line.size(); i += 2)
      current->push_back(static_cast<std::uint8_t>(std::stoul(line.substr(i, 2), nullptr, 16)));
  }
  return archives;
}

std::string as_text(const Archives& archives) {
  constexpr std::size_t in_a_line = 48;
  std::string text;
  for (const auto& [name, bytes] : archives) {
    text += name + "\n";
    for (std::size_t i = 0; i < bytes.size(); ++i)
      text += fmt::format("{}{:02x}{}", i % in_a_line == 0 ? "  " : "", bytes[i],
                          i % in_a_line == in_a_line - 1 || i + 1 == bytes.size() ? "\n" : "");
  }
  return text;
}

// What this version writes for the same values.
Archives written(ArchiveFormat format) {
  Archives archives;
  for_each_archive([&](const char* name, const auto& value) { archives[name] = to_bytes(value, format); });
  for_each_part_of_the_hold(
      [&](std::size_t offset, const Bytes& bytes) { archives["@" + std::to_string(offset)] = bytes; },
      format);
  if (format == ArchiveFormat::tagged) {
    archives["handover"] = encode(handover());
    archives["recorded"] = recorded();
  }
  return archives;
}

std::vector<std::string> releases() {
  std::vector<std::string> names;
  for (const auto& line : source_file(folder + "releases").lines)
    if (!line.empty() && line[0] != '#') names.push_back(line.substr(0, line.find(' ')));
  names.push_back(next_release);
  return names;
}

ArchiveFormat format_of_release(const std::string& release) {
  return release == first_release ? ArchiveFormat::release_0_1 : ArchiveFormat::tagged;
}

// All fields of a value. Tags say which field differs, so two values are equal only if each of theirs is.
template <class T>
Bytes all_fields(const T& value) {
  return to_bytes(value);
}

std::string text_of(const std::vector<record::Entry>& entries) {
  return record::to_text(record::Recording{entries});
}
}  // namespace

TEST_CASE("what a release wrote is read with the value of every field") {
  REQUIRE(releases().size() >= 2);
  for (const auto& release : releases()) {
    CAPTURE(release);
    const auto archives = archives_of(release);
    const auto format = format_of_release(release);
    for_each_archive([&]<class T>(const char* name, const T& sample) {
      CAPTURE(name);
      REQUIRE(archives.contains(name));
      const auto back = from_bytes<T>(archives.at(name), format);
      REQUIRE(back);
      CHECK(all_fields(*back) == all_fields(sample));
    });
    const auto back = decode_handover(archives.at("handover"));
    REQUIRE(back);
    CHECK(all_fields(*back) == all_fields(handover()));
    CHECK(back->format == format);
    const auto recording = record::decode(archives.at("recorded"));
    REQUIRE(recording);
    CHECK(text_of(recording->entries) == text_of(inputs()));
  }
}

TEST_CASE("the memory in which a released router kept its state is read where it is") {
  for (const auto& release : releases()) {
    CAPTURE(release);
    auto memory = std::move(Hold::create().value());
    for (const auto& [name, bytes] : archives_of(release))
      if (name.starts_with('@'))
        REQUIRE(pwrite(memory.fd(), bytes.data(), bytes.size(), std::stol(name.substr(1))) ==
                static_cast<ssize_t>(bytes.size()));
    CHECK(memory.last_beat() == TimePoint{124s});
    CHECK(memory.overdue() == TimePoint{125s});
    const auto left = memory.read();
    REQUIRE(left);
    auto expected = hold();
    expected.snapshot.routers[0].deadline = TimePoint{124500ms};
    CHECK(all_fields(*left) == all_fields(expected));
  }
}

// A released program is spoken to in its own format until it is replaced.
TEST_CASE("for programs of the first release the same bytes are written as that release wrote") {
  const auto released = archives_of(first_release);
  for (const auto& [name, bytes] : written(ArchiveFormat::release_0_1))
    CHECK_MESSAGE(released.at(name) == bytes, name);
}

// Another name or type of a field shows here before it is released. With VIPD_WRITE_RELEASED=1 the bytes are
// written anew.
TEST_CASE("this version writes the bytes that are written down for the next release") {
  const auto now = written(ArchiveFormat::tagged);
  if (std::getenv("VIPD_WRITE_RELEASED"))
    std::ofstream(std::string(SOURCE_DIR "/") + folder + next_release + "/archives.hex") << as_text(now);
  const auto next = archives_of(next_release);
  CHECK(next.size() == now.size());
  for (const auto& [name, bytes] : now) CHECK_MESSAGE((next.contains(name) && next.at(name) == bytes), name);
}

TEST_CASE("a recording as text is read in every release's form, and the first one's is still written") {
  const auto text = source_file(folder + first_release + "/recording.txt").text();
  const auto recording = record::parse(text);
  REQUIRE(recording);
  CHECK(recording->entries.size() == inputs().size());
  CHECK(record::to_text(*recording) == text);
}

TEST_CASE("the configuration that a released guardian hands over is accepted") {
  const auto& file = source_file(folder + first_release + "/configuration.yaml");
  REQUIRE(file.lines.size() > 50);
  const auto loaded = conf::load_printed("the configuration in force", file.text());
  CHECK(loaded.config);
  CHECK(loaded.diagnostics.render() == "");
}
