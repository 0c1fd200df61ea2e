#include "programs/common/log.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace vipd::programs;

TEST_CASE("log: when nobody reads standard error any more the line is lost, and the program goes on") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    dup2(ends[1], STDERR_FILENO);
    Log log("vipd");
    log.info("into the void");
    _exit(7);
  }
  close(ends[0]);
  close(ends[1]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 7);
}
