#include "checks/rise_fall.h"

#include <doctest/doctest.h>

using vipd::checks::RiseFall;

TEST_CASE("the first result decides at once") {
  RiseFall up(3, 2);
  CHECK_FALSE(up.healthy());
  CHECK(up.record(true));
  CHECK(up.healthy() == true);
  RiseFall down(3, 2);
  CHECK(down.record(false));
  CHECK(down.healthy() == false);
}

TEST_CASE("down after `fall` failures in a row, not before") {
  RiseFall check(3, 2);
  check.record(true);
  CHECK_FALSE(check.record(false));
  CHECK_FALSE(check.record(false));
  CHECK(check.healthy() == true);
  CHECK(check.record(false));
  CHECK(check.healthy() == false);
}

TEST_CASE("one success between failures starts the count anew") {
  RiseFall check(3, 2);
  check.record(true);
  check.record(false), check.record(false);
  CHECK_FALSE(check.record(true));
  CHECK_FALSE(check.record(false));
  CHECK_FALSE(check.record(false));
  CHECK(check.failures_in_a_row() == 2);
  CHECK(check.healthy() == true);
}

TEST_CASE("up again after `rise` successes in a row") {
  RiseFall check(1, 2);
  check.record(false);
  CHECK_FALSE(check.record(true));
  CHECK(check.healthy() == false);
  CHECK(check.record(true));
  CHECK(check.healthy() == true);
  CHECK(check.successes_in_a_row() == 2);
  CHECK(check.failures_in_a_row() == 0);
}

TEST_CASE("a seeded state is kept until enough results speak against it") {
  RiseFall check(2, 2);
  check.seed(true);
  CHECK(check.healthy() == true);
  CHECK_FALSE(check.record(false));
  CHECK(check.healthy() == true);
  CHECK(check.record(false));
  CHECK(check.healthy() == false);
}

TEST_CASE("what only repeats the state is no change") {
  RiseFall check(1, 1);
  check.record(true);
  for (int i = 0; i < 10; ++i) CHECK_FALSE(check.record(true));
  CHECK(check.successes_in_a_row() == 11);
}
