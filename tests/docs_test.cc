// A key, a command, an option, an event, a metric exists when a manual page has an ".It" line for it, and
// nothing is documented that does not exist. What exists is asked of the code where it can say so, and read
// out of its source where it cannot.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "checks/settings/check.h"
#include "conf/load.h"
#include "events/catalogue.h"
#include "tests/conf/made_up.h"
#include "tests/source_tree.h"
#include "vrrp/packet.h"

using namespace vipd;
using namespace vipd::tests;

namespace {

using Words = std::set<std::string>;

// The words that have an entry in a page: ".It Ic vrid", ".It Fl -config Ar FILE".
Words entries(const std::string& page, const std::string& macro) {
  REQUIRE_MESSAGE(!source_file(page).lines.empty(), "there is no " << page);
  return matches(source_file(page).text(), "\n\\.It " + macro + " (-?[a-z][a-z0-9_-]*)");
}

std::string source_of(const std::string& folder, const std::string& ending) {
  std::string text;
  for (const auto& file : source_tree())
    if (folder_of(file) == folder && file.path.ends_with(ending)) text += file.text();
  return text;
}

Words operator+(Words left, const Words& right) {
  left.insert(right.begin(), right.end());
  return left;
}

void every_one_is_in(const Words& words, const Words& entries, const std::string& page,
                     const std::string& what) {
  for (const auto& word : words)
    CHECK_MESSAGE(entries.contains(word), page << " says nothing of the " << what << " " << word);
}

void none_is_made_up(const Words& entries, const Words& words, const std::string& page,
                     const std::string& what) {
  for (const auto& entry : entries)
    CHECK_MESSAGE(words.contains(entry),
                  page << " has an entry for the " << what << " " << entry << ", which does not exist");
}

// What the schema asks its Reader for.
Words configuration_keys() {
  const auto source = source_of("conf", "schema.cc") + source_of("checks", "_settings.cc");
  return matches(
             source,
             R"re((?:\.|->)(?:text|boolean|integer|duration|address|texts|child|required)\(\s*"([a-z_]+)")re") +
         matches(source, R"re(\.choice<[^>(]*>\(\s*"([a-z_]+)")re") +
         matches(
             source,
             R"re((?:duration_or_off|read_pem_path|read_text|read_units|read_file_name)\(\w+, "([a-z_]+)")re") +
         matches(source, R"re(program\("([a-z_]+)", hooks)re") +
         matches(source, R"re(above\.child\("([a-z_]+)"\))re") + Words{"smtp", "from", "to"};
}

Words command_line_options(const std::string& source) {
  return matches(source, R"re((?:add_option|add_flag|set_version_flag)\("-(-[a-z][a-z-]*))re");
}

Words without(Words words, const Words& others) {
  for (const auto& other : others) words.erase(other);
  return words;
}

// The literal examples of a page that are whole configurations.
std::vector<std::string> configurations_in(const std::string& page) {
  std::vector<std::string> found;
  bool inside = false;
  for (const auto& line : source_file(page).lines) {
    if (line.starts_with(".Ed")) inside = false;
    if (inside) found.back() += line + "\n";
    if (line.starts_with(".Bd -literal")) {
      inside = true;
      found.emplace_back();
    }
  }
  std::erase_if(found, [](const std::string& text) { return !text.starts_with("virtual_routers:"); });
  return found;
}

}  // namespace

TEST_CASE("vipd.yaml(5) has an entry for every configuration key, and for nothing else") {
  const auto keys = configuration_keys();
  REQUIRE(keys.size() > 30);  // the schema has been found
  const auto documented = entries("man/vipd.yaml.5", "Ic");
  every_one_is_in(keys, documented, "vipd.yaml(5)", "key");
  none_is_made_up(documented, keys, "vipd.yaml(5)", "key");
}

TEST_CASE("vipd.yaml(5) has an entry and a section for every kind of health check") {
  const auto page = source_file("man/vipd.yaml.5").text();
  for (const auto& kind : checks::kind_names()) {
    CHECK_MESSAGE(page.find("\n.It Ic " + kind + "\n") != std::string::npos, kind << " has no entry");
    CHECK_MESSAGE(page.find("\n.Ss Kind " + kind + "\n") != std::string::npos, kind << " has no section");
  }
}

TEST_CASE("vipd-metrics(7) has an entry for every metric, and for nothing else") {
  const auto source = source_file("programs/monitor/metrics.cc").text();
  auto names = matches(source, R"re((?:gauge|histogram)\(\s*"(vipd_[a-z_]+)")re");
  for (const auto& name : matches(source, R"re((?:counter\(|activity\(|\{)\s*"(vipd_[a-z_]+)")re"))
    names.insert(name + "_total");
  REQUIRE(names.size() > 40);
  const auto documented = entries("man/vipd-metrics.7", "Ic");
  every_one_is_in(names, documented, "vipd-metrics(7)", "metric");
  none_is_made_up(documented, names, "vipd-metrics(7)", "metric");
}

TEST_CASE("The examples in vipd.yaml(5) load without an error") {
  const auto examples = configurations_in("man/vipd.yaml.5");
  REQUIRE(!examples.empty());
  for (const auto& example : examples) {
    const auto loaded = tests::load("example", example);
    CHECK_MESSAGE(loaded.config.has_value(), loaded.diagnostics.render());
  }
}

TEST_CASE("vipd(8) has an entry for every event and for every reason to discard an advertisement") {
  Words names;
  for (const auto& kind : events::catalogue()) names.emplace(kind.name);
  for (std::size_t i = 0; i < vrrp::decode_error_count; ++i)
    names.emplace(to_string(static_cast<vrrp::DecodeError>(i)));
  const auto documented = entries("man/vipd.8", "Ic");
  every_one_is_in(names, documented, "vipd(8)", "event or reason");
  none_is_made_up(documented, names, "vipd(8)", "event or reason");
}

TEST_CASE(
    "Every name of an event is in the catalogue, and vipd(8) has its severity as the catalogue has it") {
  const auto names = matches(source_file("vrrp/event_names.h").text() + source_file("events/names.h").text(),
                             R"re(constexpr std::string_view [a-z_]+ = "([a-z_]+)")re");
  REQUIRE(names.size() > 30);
  for (const auto& name : names)
    CHECK_MESSAGE(events::find_kind(name) != nullptr, "events/catalogue.cc has no line for " << name);
  CHECK(names.size() == events::catalogue().size());
  const auto page = source_file("man/vipd.8").text();
  for (const auto& kind : events::catalogue()) {
    auto severity = std::string(to_string(kind.severity));
    if (kind.relieved != kind.severity) severity += ", " + std::string(to_string(kind.relieved));
    CHECK_MESSAGE(
        page.find("\n.It Ic " + std::string(kind.name) + " Pq " + severity + "\n") != std::string::npos,
        "vipd(8) does not say that " << kind.name << " is " << severity);
  }
}

TEST_CASE("vipd(8) names every field that is written to the journal") {
  const auto page = source_file("man/vipd.8").text();
  const auto source = source_file("programs/common/event_log.cc").text();
  const auto fields = matches(source, R"re(\{"([A-Z][A-Z_]+)", )re") +
                      matches(source, R"re(emplace_back\("([A-Z][A-Z_]+)", )re");
  REQUIRE(fields.size() > 5);
  for (const auto& field : fields)
    CHECK_MESSAGE(page.find("Ev " + field) != std::string::npos,
                  "vipd(8) says nothing of the field " << field);
}

TEST_CASE("vipctl(8) names every key of the JSON that vipctl prints") {
  const auto page = source_file("man/vipctl.8").text();
  const auto source = source_file("programs/monitor/show.cc").text() + source_file("ctl/check.cc").text() +
                      source_file("events/line.cc").text();
  const auto fields = matches(source_of("programs", ".cc"), R"re(fields\["([a-z_]+)"\])re");
  REQUIRE(fields.size() > 5);
  const auto keys = matches(source, R"re(\b(?:out|age|out\.begin)\("([a-z_]+)", )re") +
                    matches(source, R"re(\(out, "([a-z_]+)", )re") +
                    matches(source, R"re(\{"([a-z_]+)", )re") + matches(source, R"re(\["([a-z_]+)"\])re") +
                    fields;
  REQUIRE(keys.size() > 40);
  for (const auto& key : keys)
    CHECK_MESSAGE(!matches(page, "\\bLi (?:[a-z_]+ , )*(" + key + ")\\b").empty(),
                  "vipctl(8) says nothing of the key " << key);
}

TEST_CASE("vipd(8) and vipctl(8) have an entry for every option and command, and for nothing else") {
  const Words everywhere{"-help"};
  const auto of_vipd = command_line_options(source_of("programs", ".cc"));
  const auto of_vipctl = command_line_options(source_of("ctl", ".cc"));
  const auto commands = matches(source_of("ctl", ".cc"), R"re([( ]command\("([a-z]+)", ")re");
  REQUIRE(of_vipd.size() > 3);
  REQUIRE(commands.size() > 5);
  every_one_is_in(of_vipd, entries("man/vipd.8", "Fl"), "vipd(8)", "option");
  none_is_made_up(without(entries("man/vipd.8", "Fl"), everywhere), of_vipd, "vipd(8)", "option");
  every_one_is_in(of_vipctl, entries("man/vipctl.8", "Fl"), "vipctl(8)", "option");
  none_is_made_up(without(entries("man/vipctl.8", "Fl"), everywhere), of_vipctl, "vipctl(8)", "option");
  every_one_is_in(commands, entries("man/vipctl.8", "Cm"), "vipctl(8)", "command");
  none_is_made_up(entries("man/vipctl.8", "Cm"), commands, "vipctl(8)", "command");
}

TEST_CASE("vipd-control(7) has an entry for every command of the control socket, and for nothing else") {
  const auto source = source_file("programs/monitor/request.cc").text();
  const auto lists = matches(source, R"re(std::string_view, \d+> (?:questions|commands)(\{[^}]*\}))re");
  Words commands;
  for (const auto& list : lists) commands = commands + matches(list, R"re("([a-z]+)")re");
  REQUIRE(commands.size() > 8);
  const auto page = source_file("man/vipd-control.7").text();
  const auto begin = page.find("\n.Sh COMMANDS\n");
  const auto section = page.substr(begin, page.find("\n.Sh ", begin + 1) - begin);
  const auto documented = matches(section, "\n\\.It Li ([a-z]+)\n");
  every_one_is_in(commands, documented, "vipd-control(7)", "command");
  none_is_made_up(documented, commands, "vipd-control(7)", "command");
}

TEST_CASE("Every manual page has the sections that a reader looks for") {
  for (const auto* page : {"man/vipd.8", "man/vipctl.8", "man/vipd.yaml.5"})
    for (const auto* section :
         {"NAME", "DESCRIPTION", "FILES", "EXAMPLES", "FOR KEEPALIVED USERS", "SEE ALSO"})
      CHECK_MESSAGE(
          source_file(page).text().find(std::string("\n.Sh ") + section + "\n") != std::string::npos,
          page << " has no section " << section);
}
