#include <doctest/doctest.h>
#include <signal.h>

#include "tests/checks/runners/asking.h"
#include "tests/checks/scratch.h"

using namespace vipd;
using namespace vipd::testing;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Script {
  Scratch scratch;
  std::string path;
  explicit Script(const std::string& text) : path(scratch.file("check", "#!/bin/sh\n" + text, 0755)) {}
  std::string keys(const std::string& rest = "") const { return "script: [" + path + "], user: root" + rest; }
  std::string read(const std::string& name) const {
    std::ifstream file(scratch.path() + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

// True once nothing runs under this number; a zombie does not run.
bool is_gone(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text{std::istreambuf_iterator<char>(stat), {}};
  return text.empty() || contains(text, ") Z ");
}

// A script with a process in the background that ignores SIGTERM, as it does itself.
struct WithGrandchild : Script {
  explicit WithGrandchild(const std::string& rest)
      : Script(
            "trap '' TERM\n(trap '' TERM; echo $(exec sh -c 'echo $PPID') >$(dirname $0)/grandchild; sleep "
            "100) "
            "&\n" +
            rest) {}

  // The bound is so short that a slow machine may end the script before it has started the process: then it is longer
  // in the next attempt.
  std::pair<checks::Fact, std::chrono::milliseconds> ask_until_it_has_one(Asking& asking,
                                                                          const std::string& keys) const {
    std::pair<checks::Fact, std::chrono::milliseconds> result;
    for (const auto bound : {200ms, 800ms, 3200ms}) {
      auto check =
          Asking::read("{" + this->keys(", " + keys + ": " + std::to_string(bound.count()) + "ms") + "}");
      check.interval = 1h;
      asking.facts.clear();
      result = {asking.first(check), bound};
      if (contains(read("grandchild"), "\n")) break;
    }
    return result;
  }
  void is_ended(Asking& asking) const {
    const auto grandchild = std::stoi(read("grandchild"));
    CHECK_FALSE(is_gone(grandchild));  // in its grace
    asking.run_until([grandchild] { return is_gone(grandchild); }, 30s);
    asking.run_until([&asking] { return asking.scripts.next_deadline() == never; }, 30s);
  }
};

}  // namespace

TEST_CASE("script: exit code 0 is healthy") {
  const auto fact = ask(Script("echo replication is fine\necho second line\n").keys());
  CHECK(fact.healthy);
  CHECK(fact.detail.starts_with("exit code 0 in "));
  CHECK(fact.detail.ends_with(": \"replication is fine\""));
}

TEST_CASE("script: another exit code has failed, and what it said is told") {
  CHECK(ask(Script("echo lag 17 s\nexit 3\n").keys()).detail == "exit code 3: \"lag 17 s\"");
  CHECK(ask(Script("echo cannot connect >&2\nexit 1\n").keys()).detail == "exit code 1: \"cannot connect\"");
  CHECK(ask(Script("kill -SEGV $$\n").keys()).detail == "ended by signal 11 (Segmentation fault)");
}

TEST_CASE("script: terminal escapes and long lines do not reach the detail") {
  const auto fact = ask(Script("printf '\\033[31mred\\n'; exit 1\n").keys());
  CHECK(fact.detail == "exit code 1: \"?[31mred\"");
  CHECK(ask(Script("head -c 100000 /dev/zero | tr '\\0' x; exit 1\n").keys()).detail.size() < 200);
}

TEST_CASE("script: words are arguments, no shell reads them") {
  const Script script("[ \"$#\" = 2 ] && [ \"$1\" = 'a b' ] && [ \"$2\" = '$HOME;exit 1' ]\n");
  CHECK(ask("script: [" + script.path + ", \"a b\", \"$HOME;exit 1\"], user: root").healthy);
}

TEST_CASE("script: it gets a small environment, no descriptor of ours, and no input") {
  const Script script("env | sort >" +
                      std::string("$(dirname $0)/env; ls /proc/self/fd | tr '\\n' ' ' >$(dirname $0)/fds; "
                                  "pwd >$(dirname $0)/pwd; read line && exit 1; exit 0\n"));
  ::setenv("SECRET", "x", 1);
  CHECK(ask(script.keys()).healthy);
  ::unsetenv("SECRET");
  CHECK_FALSE(contains(script.read("env"), "SECRET"));
  CHECK(contains(script.read("env"), "VIPD_CHECK=check\n"));
  CHECK(contains(script.read("env"), "PATH="));
  CHECK(script.read("pwd") == "/\n");
  CHECK(script.read("fds") == "0 1 2 3 ");  // 3 is ls's own
}

TEST_CASE("script: its timeout ends the whole process group, also who ignores SIGTERM") {
  const WithGrandchild script("sleep 100\n");
  Asking asking;
  const auto [fact, bound] = script.ask_until_it_has_one(asking, "timeout");
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "timed out after " + std::to_string(bound.count()) + "ms");
  script.is_ended(asking);
}

TEST_CASE("script: slower than allowed has failed at the bound, and its process group is ended") {
  const WithGrandchild script("sleep 100\necho too late\n");
  Asking asking;
  const auto [fact, bound] = script.ask_until_it_has_one(asking, "timeout: 10s, latency");
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "took more than " + std::to_string(bound.count()) + " ms");
  CHECK(fact.latency == bound);
  CHECK(asking.status().latency_exceeded);
  script.is_ended(asking);
  CHECK(asking.status().runs == 1);  // its end, which came after the bound, is no result
}

TEST_CASE("script: the next attempt does not wait until one that was too slow is gone") {
  const Script script("trap '' TERM\necho x >>$(dirname $0)/starts\nsleep 100\n");
  Asking asking;
  auto check = Asking::read("{" + script.keys(", latency: 100ms") + "}");
  check.interval = 100ms;
  check.fall = 2;
  asking.use(check);
  asking.run_until([&] { return asking.status().failures >= 3 && script.read("starts").size() >= 4; });
}

TEST_CASE("script: what it leaves behind is ended with it") {
  const Script script("sleep 100 & echo $! >$(dirname $0)/left\n");
  CHECK(ask(script.keys()).healthy);
  const auto left = std::stoi(script.read("left"));
  Asking asking;
  asking.run_until([left] { return is_gone(left); }, 30s);
}

TEST_CASE("script: what cannot be executed has failed") {
  const Script script("exit 0\n");
  const auto check = Asking::read("{" + script.keys() + "}");
  {
    Asking asking;
    ::chmod(script.path.c_str(), 0644);
    const auto fact = asking.first(check);
    CHECK_FALSE(fact.healthy);
    CHECK(fact.detail == "cannot execute " + script.path + ": Permission denied");
  }
  ::unlink(script.path.c_str());
  Asking asking;
  CHECK(asking.first(check).detail == "cannot execute " + script.path + ": No such file or directory");
}

TEST_CASE("script: without its interpreter it has failed") {
  const Script script("exit 0\n");
  script.scratch.file("check", "#!/no/such/interpreter\n", 0755);
  CHECK(ask(script.keys()).detail == "cannot execute " + script.path + ": No such file or directory");
}

TEST_CASE("script: one that is deleted while it is in use takes the check down") {
  const Script script("exit 0\n");
  Asking asking;
  auto check = Asking::read("{" + script.keys() + "}");
  check.interval = 20ms;
  asking.first(check);
  CHECK(asking.facts[0].healthy);
  ::unlink(script.path.c_str());
  asking.run_until([&asking] { return asking.facts.size() == 2; });
  CHECK_FALSE(asking.facts.back().healthy);
  CHECK(contains(asking.facts.back().detail, "No such file or directory"));
}

TEST_CASE("script: a printed number is the change of priority") {
  const auto fact = ask(Script("echo -20\n").keys(", result: priority"));
  CHECK(fact.healthy);
  CHECK(fact.priority == -20);
  CHECK(fact.detail.starts_with("printed -20 in "));
  CHECK(ask(Script("echo +15\n").keys(", result: priority")).priority == 15);
  CHECK(ask(Script("echo 0\n").keys(", result: priority")).priority == 0);
  CHECK(ask(Script("echo 20\n").keys()).priority == std::nullopt);
}

TEST_CASE("script: what is no number, or too great a one, has failed") {
  CHECK(ask(Script("echo fine\n").keys(", result: priority")).detail ==
        "printed \"fine\", expected a number from -254 to 254");
  CHECK_FALSE(ask(Script("echo 255\n").keys(", result: priority")).healthy);
  CHECK_FALSE(ask(Script("echo 1 2\n").keys(", result: priority")).healthy);
  CHECK(ask(Script("").keys(", result: priority")).detail ==
        "printed nothing, expected a number from -254 to 254");
  CHECK(ask(Script("echo 5\nexit 1\n").keys(", result: priority")).detail == "exit code 1: \"5\"");
}

TEST_CASE("script: much output does not stop it") {
  CHECK(ask(Script("head -c 500000 /dev/zero\nexit 0\n").keys()).healthy);
}

TEST_CASE("script: a check that is removed while its script runs ends it") {
  const Script script("echo $$ >$(dirname $0)/pid\nexec sleep 100\n");
  Asking asking;
  auto check = Asking::read("{" + script.keys() + "}");
  check.interval = 10ms;
  asking.use(check);
  asking.run_until([&] { return contains(script.read("pid"), "\n"); });
  asking.monitor.replace({}, io::now());
  const auto pid = std::stoi(script.read("pid"));
  asking.run_until([pid] { return is_gone(pid); }, 2s);
  CHECK(asking.facts.empty());
}

TEST_CASE("script: many at once") {
  const Script script("exit 0\n");
  Asking asking;
  std::vector<checks::CheckConfig> checks;
  for (int i = 0; i < 50; ++i) {
    checks.push_back(Asking::read("{" + script.keys() + "}"));
    checks.back().name = "check" + std::to_string(i);
    checks.back().interval = 1s;
  }
  asking.scripts.replace(checks);
  asking.monitor.replace(checks, io::now());
  asking.run_until([&asking] { return asking.facts.size() == 50; });
  for (const auto& fact : asking.facts) CHECK(fact.healthy);
}

TEST_CASE("script: one that nobody has told the executor about is not run") {
  Asking asking;
  checks::ScriptOutcome outcome;
  CHECK(asking.scripts.run_script("unknown", 1s, [&](const auto& given) { outcome = given; }) == nullptr);
  CHECK(outcome.end == checks::ScriptOutcome::End::not_started);
  CHECK(outcome.trouble == "there is no script check unknown");
}
