#include "programs/monitor/control.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "io/clock.h"
#include "programs/common/clock.h"
#include "programs/guardian/control_socket.h"

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
// A control socket that answers each line with "re: " and the line (but "later"), and clients of it.
struct Fixture {
  std::string directory;
  std::string path;
  io::Loop loop;
  std::unique_ptr<Control> control;
  std::uint64_t postponed = 0;  // who has asked for something that takes its time

  Fixture() {
    char name[] = "/tmp/vipd-control-XXXXXX";
    directory = mkdtemp(name);
    path = directory + "/control";
    control = std::make_unique<Control>(loop, std::move(listen_for_control(path).value()),
                                        [this](const Client& client, const std::string& line) {
                                          if (line == "watch") control->subscribe(client.number);
                                          if (line == "later") {
                                            postponed = client.number;
                                            return;
                                          }
                                          control->reply(client.number, "re: " + line);
                                        });
  }
  ~Fixture() { std::filesystem::remove_all(directory); }

  io::Fd connect() {
    io::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    turn();
    return fd;
  }
  void turn() {
    for (int i = 0; i < 4; ++i) REQUIRE(loop.wait(io::now()));
  }
  void say(const io::Fd& fd, const std::string& text) {
    (void)send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL);
    turn();
  }
  // "" for nothing there, "end" for a closed connection.
  static std::string hear(const io::Fd& fd) {
    std::array<char, 65536> buffer;
    const auto size = recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && errno == ECONNRESET) return "end";
    if (size < 0) return "";
    return size == 0 ? "end" : std::string(buffer.data(), static_cast<std::size_t>(size));
  }
};
}  // namespace

TEST_CASE("control: a request is a line, however it is cut, and each gets its answer") {
  Fixture fixture;
  const auto client = fixture.connect();
  fixture.say(client, "on");
  CHECK(Fixture::hear(client).empty());
  fixture.say(client, "e\ntwo\nthr");
  CHECK(Fixture::hear(client) == "re: one\nre: two\n");
}

TEST_CASE("control: a client that has closed its writing end still gets its answers") {
  Fixture fixture;
  const auto client = fixture.connect();
  fixture.say(client, "later\none\n");
  REQUIRE(shutdown(client.get(), SHUT_WR) == 0);
  fixture.turn();
  CHECK(Fixture::hear(client) == "re: one\n");
  CHECK(Fixture::hear(client).empty());
  fixture.control->reply(fixture.postponed, "re: later");
  fixture.turn();
  CHECK(Fixture::hear(client) == "re: later\n");
  CHECK(Fixture::hear(client) == "end");

  const auto watcher = fixture.connect();
  fixture.say(watcher, "watch\n");
  REQUIRE(shutdown(watcher.get(), SHUT_WR) == 0);
  fixture.turn();
  fixture.control->publish("news");
  fixture.turn();
  CHECK(Fixture::hear(watcher) == "re: watch\nnews\n");
}

TEST_CASE("control: the last line need not have an end if nothing more comes") {
  Fixture fixture;
  const auto client = fixture.connect();
  fixture.say(client, "one\ntwo");
  CHECK(Fixture::hear(client) == "re: one\n");
  REQUIRE(shutdown(client.get(), SHUT_WR) == 0);
  fixture.turn();
  CHECK(Fixture::hear(client) == "re: two\n");
  CHECK(Fixture::hear(client) == "end");

  const auto silent = fixture.connect();
  REQUIRE(shutdown(silent.get(), SHUT_WR) == 0);
  fixture.turn();
  CHECK(Fixture::hear(silent) == "end");
}

TEST_CASE("control: only subscribers get published lines") {
  Fixture fixture;
  const auto watcher = fixture.connect();
  const auto other = fixture.connect();
  fixture.say(watcher, "watch\n");
  (void)Fixture::hear(watcher);
  fixture.control->publish("news");
  fixture.turn();
  CHECK(Fixture::hear(watcher) == "news\n");
  CHECK(Fixture::hear(other).empty());
}

TEST_CASE("control: a client that sends an endless line is disconnected without disturbing others") {
  Fixture fixture;
  const auto endless = fixture.connect();
  const auto other = fixture.connect();
  for (int i = 0; i < 10; ++i) fixture.say(endless, std::string(16384, 'x'));
  CHECK(Fixture::hear(endless) == "end");
  fixture.say(other, "hello\n");
  CHECK(Fixture::hear(other) == "re: hello\n");
}

TEST_CASE("control: a subscriber that never reads is disconnected at the bound without disturbing others") {
  Fixture fixture;
  const auto deaf = fixture.connect();
  const auto other = fixture.connect();
  fixture.say(deaf, "watch\n");
  const std::string news(100'000, 'n');
  for (int i = 0; i < 120; ++i) fixture.control->publish(news);
  fixture.turn();
  fixture.say(other, "hello\n");
  CHECK(Fixture::hear(other) == "re: hello\n");
  std::string last;
  for (int i = 0; i < 200 && last != "end"; ++i) last = Fixture::hear(deaf);
  CHECK(last == "end");
}

TEST_CASE("control: a hundred clients that connect and say nothing leave room for one that asks") {
  Fixture fixture;
  std::vector<io::Fd> silent;
  for (int i = 0; i < 100; ++i) silent.push_back(fixture.connect());
  const auto client = fixture.connect();
  fixture.say(client, "hello\n");
  CHECK(Fixture::hear(client) == "re: hello\n");
}

TEST_CASE("control: endless requests are answered at a bounded rate, and none is lost") {
  Fixture fixture;
  const auto hasty = fixture.connect();
  std::string questions;
  for (int i = 0; i < 600; ++i) questions += "x\n";
  fixture.say(hasty, questions);
  const auto at_once = std::count(questions.begin(), questions.end(), 'x');
  std::string answers;
  for (auto more = Fixture::hear(hasty); !more.empty(); more = Fixture::hear(hasty)) {
    answers += more;
    fixture.turn();
  }
  const auto count = [](const std::string& text) { return std::count(text.begin(), text.end(), 'x'); };
  CHECK(count(answers) >= Control::requests_at_once);
  CHECK(count(answers) < at_once);
  const auto begin = now();
  while (count(answers) < at_once && now() < begin + 5s) {
    fixture.control->step(now());
    fixture.turn();
    if (const auto more = Fixture::hear(hasty); more != "end") answers += more;
  }
  CHECK(count(answers) == at_once);
  CHECK(now() - begin > 900ms);
  while (fixture.control->next_deadline() != never && now() < begin + 5s) fixture.control->step(now());
  CHECK(fixture.control->next_deadline() == never);
}

TEST_CASE("control: the connection above the limit gets an error, and one that ends makes room") {
  Fixture fixture;
  std::vector<io::Fd> silent;
  for (std::size_t i = 0; i < Control::most_connections; ++i) silent.push_back(fixture.connect());
  const auto refused = fixture.connect();
  CHECK(Fixture::hear(refused) ==
        "{\"error\":\"vipd accepts no more connections (256 are open; some are reserved for users that may "
        "command): close some, or try again in a moment\",\"ok\":false,\"v\":1}\n");
  CHECK(Fixture::hear(refused) == "end");
  silent.pop_back();
  fixture.turn();
  const auto client = fixture.connect();
  fixture.say(client, "hello\n");
  CHECK(Fixture::hear(client) == "re: hello\n");
}

TEST_CASE(
    "control: without descriptors for clients it rests in place of turning round, and then serves them") {
  Fixture fixture;
  const auto client = fixture.connect();
  const io::Fd highest(dup(client.get()));
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const io::Fd second(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const rlimit none{3, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, fixture.path.c_str());
  REQUIRE(::connect(second.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const auto begin = io::now();
  int turns = 0;
  for (; io::now() < begin + 50ms; ++turns) REQUIRE(fixture.loop.wait(begin + 50ms));
  CHECK(turns < 5);
  fixture.say(client, "one\n");
  CHECK(Fixture::hear(client) == "re: one\n");

  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(fixture.control->next_deadline() <= io::now() + 1s);
  fixture.control->step(fixture.control->next_deadline());
  fixture.say(second, "two\n");
  CHECK(Fixture::hear(second) == "re: two\n");
  CHECK(fixture.control->next_deadline() == never);
}

TEST_CASE("control: a path too long for a socket is refused with a remedy") {
  const auto refused = listen_for_control("/tmp/" + std::string(120, 'x'));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("choose a shorter --run-dir") != std::string::npos);
}
