#include "base/lines.h"

#include <doctest/doctest.h>

using namespace vipd;

TEST_CASE("lines come whole, whatever the pieces in which their bytes arrive") {
  const std::string sent = "one\n\ntwo\nthr";
  for (std::size_t piece = 1; piece <= sent.size(); ++piece) {
    Lines lines(100);
    std::string got;
    for (std::size_t i = 0; i < sent.size(); i += piece) {
      lines.append(std::string_view(sent).substr(i, piece));
      while (const auto line = lines.next()) got += "[" + *line + "]";
    }
    CHECK(got == "[one][][two]");
    lines.append("ee\n");
    CHECK(lines.next() == "three");
    CHECK_FALSE(lines.next());
  }
}

TEST_CASE("a line without an end is too long some day; many short ones never are") {
  Lines lines(10);
  for (int i = 0; i < 5; ++i) {
    lines.append("1234567\n1234567\n123");
    while (lines.next()) continue;
    CHECK_FALSE(lines.too_long());
    lines.append("\n");
    CHECK(lines.next() == "123");
  }
  lines.append("1234567890");
  CHECK_FALSE(lines.next());
  CHECK_FALSE(lines.too_long());
  lines.append("1");
  CHECK_FALSE(lines.next());
  CHECK(lines.too_long());
}

TEST_CASE("what has no end is a line when nothing more comes, and only then") {
  Lines lines(10);
  lines.append("one\ntwo");
  CHECK(lines.next() == "one");
  CHECK_FALSE(lines.next());
  CHECK(lines.rest() == "two");
  CHECK_FALSE(lines.rest());
  lines.append("three\n");
  CHECK(lines.next() == "three");
  CHECK_FALSE(lines.rest());
}
