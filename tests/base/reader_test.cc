#include "base/reader.h"
#include "base/words.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace std::chrono_literals;

namespace {

// A map with one key, and the diagnostics of a Reader about it.
struct Asked {
  explicit Asked(Node value) : map(Node::map({{"key", std::move(value)}})) {}
  Node map;
  Diagnostics diagnostics{"file", ""};
  Reader reader{map, diagnostics, "thing one"};

  std::string complaint() const {
    if (diagnostics.all().empty()) return "";
    const auto& first = diagnostics.all().front();
    return first.message + (first.remedy.empty() ? "" : " | " + first.remedy);
  }
};

std::string complaint_about_integer(const std::string& text) {
  Asked asked(Node::text(text));
  CHECK_FALSE(asked.reader.integer("key", 1, 255));
  return asked.complaint();
}

std::string complaint_about_boolean(const std::string& text) {
  Asked asked(Node::text(text));
  CHECK_FALSE(asked.reader.boolean("key"));
  return asked.complaint();
}

std::string complaint_about_duration(const std::string& text) {
  Asked asked(Node::text(text));
  CHECK_FALSE(asked.reader.duration("key", 10ms, 40950ms));
  return asked.complaint();
}

Node quoted(const std::string& text) {
  Node node = Node::text(text);
  node.quoted = true;
  return node;
}

}  // namespace

TEST_CASE("a diagnostic shows the place, the line, a caret and the remedy") {
  Diagnostics diagnostics("vipd.yaml", "virtual_routers:\n  edge:\n    priorty: 250\n");
  diagnostics.error({3, 5, 7}, "unknown key \"priorty\" in virtual router edge",
                    "did you mean \"priority\"?");
  CHECK(diagnostics.render() ==
        "vipd.yaml:3:5: error: unknown key \"priorty\" in virtual router edge\n"
        "   3 |     priorty: 250\n"
        "     |     ^~~~~~~\n"
        "     did you mean \"priority\"?\n");
}

TEST_CASE("diagnostics follow the order of the file, and only errors make it unusable") {
  Diagnostics diagnostics("f", "a\nb\n");
  diagnostics.warning({2, 1, 1}, "second");
  CHECK_FALSE(diagnostics.has_errors());
  diagnostics.error({1, 1, 1}, "first");
  CHECK(diagnostics.has_errors());
  CHECK(diagnostics.render() ==
        "f:1:1: error: first\n   1 | a\n     | ^\n"
        "f:2:1: warning: second\n   2 | b\n     | ^\n");
}

TEST_CASE("a diagnostic without a place names only the file") {
  Diagnostics diagnostics("f", "a\n");
  diagnostics.error({}, "cannot be read");
  CHECK(diagnostics.render() == "f: error: cannot be read\n");
}

TEST_CASE("a tab is one column, and a character that is not ASCII is one question mark") {
  Diagnostics diagnostics("f", "\tb\xc3\xbcro \x1b[31m\xff x\r\n");
  diagnostics.error({1, 14, 1}, "here \xc3\xbc");
  CHECK(diagnostics.render() == "f:1:14: error: here ?\n   1 |  b?ro ?[31m? x\n     |              ^\n");
}

TEST_CASE("a long line is cut around the place") {
  const std::string line = std::string(300, 'a') + "HERE" + std::string(300, 'b');
  Diagnostics diagnostics("f", line);
  diagnostics.error({1, 301, 4}, "here");
  CHECK(diagnostics.render() ==
        "f:1:301: error: here\n"
        "   1 | ..." +
            std::string(37, 'a') + "HERE" + std::string(53, 'b') + "...\n" + "     | " +
            std::string(40, ' ') + "^~~~\n");
}

TEST_CASE("an underline ends with its line, and a place beyond the file has no excerpt") {
  Diagnostics diagnostics("f", "short");
  diagnostics.error({1, 4, 40}, "one");
  diagnostics.error({9, 1, 1}, "two");
  CHECK(diagnostics.render() == "f:1:4: error: one\n   1 | short\n     |    ^~\nf:9:1: error: two\n");
}

TEST_CASE("after a hundred diagnostics the others are only counted") {
  Diagnostics diagnostics("f", "");
  for (int i = 0; i < 123; ++i) diagnostics.error({}, "again");
  CHECK(diagnostics.all().size() == 123);
  CHECK(diagnostics.render().ends_with("f: error: again\nf: and 23 more\n"));
}

TEST_CASE("the nearest candidate is suggested if it is near enough") {
  const std::vector<std::string> keys{"priority", "vrid", "interface", "advertisement_interval"};
  CHECK(nearest("priorty", keys) == "priority");
  CHECK(nearest("Priority", keys) == "priority");
  CHECK(nearest("virD", keys) == "vrid");  // neighbours swapped count once
  CHECK(nearest("advertisement-interval", keys) == "advertisement_interval");
  CHECK_FALSE(nearest("colour", keys));
  CHECK_FALSE(nearest("", keys));
  CHECK_FALSE(nearest(std::string(100'000, 'x'), keys));
  CHECK(did_you_mean("vird", keys) == "did you mean \"vrid\"?");
  CHECK(did_you_mean("colour", keys) == "");
}

TEST_CASE("user input is quoted on one line and cut") {
  CHECK(quote("a\nb") == "\"a?b\"");
  CHECK(quote(std::string(100, 'x')) == "\"" + std::string(57, 'x') + "...\"");
}

TEST_CASE("documents with the same content are equal, whatever their places and quotes") {
  Node one = Node::map({{"a", Node::text("1")}, {"b", Node::list({Node::text("2")})}});
  one.place = {7, 7, 7};
  CHECK(one == Node::map({{"b", Node::list({quoted("2")})}, {"a", Node::text("1")}}));
  CHECK_FALSE(one == Node::map({{"a", Node::text("1")}, {"b", Node::text("2")}}));
  CHECK_FALSE(one == Node::map({{"a", Node::text("1")}}));
}

TEST_CASE("an integer is decimal and within its bounds") {
  CHECK(Asked(Node::text("255")).reader.integer("key", 1, 255) == 255);
  CHECK(Asked(Node::text("-60")).reader.integer("key", -254, -1) == -60);
  CHECK(Asked(Node::text("0")).reader.integer("key", 0, 1) == 0);
  CHECK(complaint_about_integer("300") == "key must be 1 to 255, not 300");
  CHECK(complaint_about_integer("99999999999999999999999") ==
        "key must be 1 to 255, not 99999999999999999999...");
  CHECK(complaint_about_integer("high") == "key must be a whole number from 1 to 255, not \"high\"");
  CHECK(complaint_about_integer("010").ends_with(
      ", not \"010\" | numbers are decimal and have no leading zeros: write 10"));
  CHECK(complaint_about_integer("000").ends_with("write 0"));
  CHECK(complaint_about_integer("0x10").ends_with(", not \"0x10\" | numbers are decimal: write 16"));
  CHECK(complaint_about_integer("0o17").ends_with(" | numbers are decimal: write 15"));
  CHECK(complaint_about_integer("1_00").ends_with(" | write 100"));
  CHECK(complaint_about_integer("+5").ends_with(" | write 5"));
  for (const std::string invalid : {"1e3", "1.0", "", "-", "0x"})
    CHECK(complaint_about_integer(invalid).ends_with(", not \"" + invalid + "\""));

  Asked text(quoted("51"));
  CHECK_FALSE(text.reader.integer("key", 1, 255));
  CHECK(text.complaint().ends_with(", not \"51\" | write 51 without quotes"));
}

TEST_CASE("a boolean is true or false, and the other words of YAML 1.1 are errors with a remedy") {
  CHECK(Asked(Node::text("true")).reader.boolean("key") == true);
  CHECK(Asked(Node::text("false")).reader.boolean("key") == false);
  CHECK(complaint_about_boolean("no") == "key must be true or false, not \"no\" | write false");
  CHECK(complaint_about_boolean("On").ends_with(", not \"On\" | write true"));
  CHECK(complaint_about_boolean("TRUE").ends_with(", not \"TRUE\" | write true"));
  CHECK(complaint_about_boolean("maybe").ends_with(", not \"maybe\""));
  Asked text(quoted("true"));
  CHECK_FALSE(text.reader.boolean("key"));
  CHECK(text.complaint().ends_with(", not \"true\" | write true without quotes"));
}

TEST_CASE("a duration has a unit and is within its bounds") {
  CHECK(Asked(Node::text("100ms")).reader.duration("key", 10ms, 40950ms) == Duration{100ms});
  CHECK(complaint_about_duration("3") == "key: \"3\" has no unit: write 3ms, 3s or 3m");
  CHECK(complaint_about_duration("5ms") == "key must be 10ms to 40.95s, not 5ms");
  CHECK(complaint_about_duration("41s") == "key must be 10ms to 40.95s, not 41s");
  CHECK(complaint_about_duration("-1s") == "key: \"-1s\" is not a duration such as 500ms, 3s or 2m");
}

TEST_CASE("an address is an address, not a name, and has no port and no zero byte") {
  CHECK(Asked(Node::text("192.0.2.1")).reader.address("key").has_value());
  for (const auto& text :
       {std::string("localhost"), std::string("192.0.2.1:80"), std::string("192.0.2.1\0x", 11)}) {
    Asked asked(Node::text(text));
    CHECK_FALSE(asked.reader.address("key"));
    CHECK(asked.complaint() == "key must be an IPv4 or IPv6 address, not " + quote(text));
  }
}

TEST_CASE("strings are a list or a single value") {
  CHECK(Asked(Node::text("a")).reader.texts("key") == std::vector<std::string>{"a"});
  CHECK(Asked(Node::list({Node::text("a"), Node::text("b")})).reader.texts("key") ==
        std::vector<std::string>{"a", "b"});
  Asked nested(Node::list({Node::text("a"), Node::list({})}));
  CHECK_FALSE(nested.reader.texts("key"));
  CHECK(nested.complaint() == "each item of key must be a string, not a list");
  Asked empty{Node{}};
  CHECK_FALSE(empty.reader.texts("key"));
  CHECK(empty.complaint() == "key has no value: it must be a string or a list of strings");
}

TEST_CASE("the error about a wrong choice lists the choices") {
  enum class Colour { red, green, blue };
  constexpr Reader::Choice<Colour> colours[] = {
      {"red", Colour::red}, {"green", Colour::green}, {"blue", Colour::blue}};
  CHECK(Asked(Node::text("green")).reader.choice<Colour>("key", colours) == Colour::green);
  Asked asked(Node::text("gren"));
  CHECK_FALSE(asked.reader.choice<Colour>("key", colours));
  CHECK(asked.complaint() == "key must be red, green or blue, not \"gren\" | did you mean \"green\"?");
}

TEST_CASE("the error about a value of the wrong type names the right one") {
  Asked list(Node::list({}));
  CHECK_FALSE(list.reader.integer("key", 1, 2));
  CHECK(list.complaint() == "key must be a whole number from 1 to 2, not a list");
  Asked empty{Node{}};
  CHECK_FALSE(empty.reader.text("key"));
  CHECK(empty.complaint() == "key has no value: it must be a string");
}

TEST_CASE("a node that is not a map is reported once") {
  Diagnostics diagnostics("f", "");
  const Node list = Node::list({});
  Reader reader(list, diagnostics, "thing one");
  reader.required("key");
  CHECK_FALSE(reader.text("key"));
  reader.finish();
  REQUIRE(diagnostics.all().size() == 1);
  CHECK(diagnostics.all()[0].message == "thing one must be a map of keys, not a list");

  const Node nothing;
  Diagnostics about_nothing("f", "");
  Reader(nothing, about_nothing, "thing two").finish();
  REQUIRE(about_nothing.all().size() == 1);
  CHECK(about_nothing.all()[0].message == "thing two is empty");
}

TEST_CASE(
    "keys that are missing, reserved, foreign or unknown are reported; reserved keys are not suggested") {
  Diagnostics diagnostics("f", "");
  const Node map = Node::map({{"nme", Node::text("x")},
                              {"later", Node::text("x")},
                              {"latr", Node::text("x")},
                              {"elsewhere", Node::text("x")}});
  Reader reader(map, diagnostics, "thing one");
  reader.required("name");  // "nme" is meant to be that
  reader.required("size");
  CHECK_FALSE(reader.text("name"));
  CHECK_FALSE(reader.text("size"));
  reader.reserved("later", "it comes later");
  reader.foreign("elsewhere", "write \"name\"");
  reader.finish();
  CHECK(diagnostics.render() ==
        "f: error: \"later\" is not supported yet\n     it comes later\n"
        "f: error: unknown key \"elsewhere\" in thing one\n     write \"name\"\n"
        "f: error: unknown key \"nme\" in thing one\n     did you mean \"name\"?\n"
        "f: error: unknown key \"latr\" in thing one\n     valid keys: name, size\n"
        "f: error: thing one has no size\n     add \"size:\" to it\n");
}

TEST_CASE("later messages about a spoilt place are dropped, those about other places are not") {
  Diagnostics diagnostics("f", "a: b\nc: d\n");
  const Place place{1, 4};
  diagnostics.error(place, "the cause");
  diagnostics.spoil(place);
  diagnostics.error(place, "what follows");
  diagnostics.warning(place, "what follows");
  diagnostics.error({2, 4}, "another cause");
  REQUIRE(diagnostics.all().size() == 2);
  CHECK(diagnostics.all()[0].message == "the cause");
  CHECK(diagnostics.all()[1].message == "another cause");
}
