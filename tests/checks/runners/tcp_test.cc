#include <doctest/doctest.h>

#include "tests/checks/runners/asking.h"
#include "tests/checks/runners/certificates.h"
#include "tests/checks/runners/server.h"

using namespace vipd;
using namespace vipd::testing;
using namespace std::chrono_literals;

namespace {
// Whatever it had received by then.
bool timed_out(const checks::Fact& fact, const std::string& bound) {
  return fact.detail.starts_with("timed out after " + bound + " while waiting for ");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string tcp(const Server& server, const std::string& rest = "") {
  return "tcp: \"" + server.endpoint() + "\"" + rest;
}

// Speaks as a redis does.
void redis(Connection& connection) {
  while (true) {
    const auto asked = connection.read();
    if (asked.empty()) return;
    if (asked == "PING") {
      connection.write("+PO");
      connection.pause(10ms);
      connection.write("NG\r\n");
    } else {
      connection.write("-ERR\r\n");
    }
  }
}

}  // namespace

TEST_CASE("tcp: being connected is enough") {
  Server server([](Connection& connection) { connection.hang(); });
  const auto fact = ask(tcp(server));
  CHECK(fact.healthy);
  CHECK(fact.detail.starts_with("connected to " + server.endpoint() + " in "));
  Server ipv6([](Connection& connection) { connection.hang(); }, nullptr, true);
  CHECK(ask(tcp(ipv6)).healthy);
}

TEST_CASE("tcp: refused") {
  std::string nobody;
  {
    Server server([](Connection&) {});
    nobody = server.endpoint();
  }
  const auto fact = ask("tcp: \"" + nobody + "\"");
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "connecting to " + nobody + ": Connection refused");
}

TEST_CASE("tcp: what has no route fails at once") {
  const auto fact = ask("tcp: 192.0.2.1:80");
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "connecting to 192.0.2.1:80: Network is unreachable");
}

TEST_CASE("tcp: accepted but silent") {
  Server server([](Connection& connection) { connection.hang(); });
  CHECK(ask(tcp(server, ", expect: PONG, timeout: 100ms")).detail ==
        "timed out after 100ms while waiting for an answer");
  Server other([](Connection& connection) { connection.write("hello"), connection.hang(); });
  CHECK(timed_out(ask(tcp(other, ", expect: PONG, timeout: 100ms")), "100ms"));
}

TEST_CASE("tcp: send and expect, though the answer comes in pieces") {
  Server server(redis);
  const auto fact = ask(tcp(server, ", send: PING, expect: PONG"));
  CHECK(fact.healthy);
  CHECK(fact.detail.starts_with("got \"PONG\" from " + server.endpoint()));
}

TEST_CASE("tcp: a banner needs no send") {
  Server server(
      [](Connection& connection) { connection.write("220 mail.example.net ESMTP\r\n"), connection.read(); });
  CHECK(ask(tcp(server, ", expect: \"220 \"")).healthy);
}

TEST_CASE("tcp: another answer, no answer, an endless answer") {
  Server wrong([](Connection& connection) { connection.write("-LOADING\r\n"); });
  CHECK(ask(tcp(wrong, ", expect: PONG")).detail ==
        "the connection was closed without \"PONG\", the answer was \"-LOADING??\"");
  Server mute([](Connection&) {});
  CHECK(ask(tcp(mute, ", expect: PONG")).detail ==
        "the connection was closed without an answer, expected \"PONG\"");
  Server endless([](Connection& connection) {
    while (connection.write(std::string(4096, 'x'))) continue;
  });
  CHECK(contains(ask(tcp(endless, ", expect: PONG")).detail, "64 KiB came without \"PONG\""));
}

TEST_CASE("tcp: slower than allowed has failed at the bound, not when the answer comes") {
  std::atomic<int> ended = 0;
  Server server([&ended](Connection& connection) {
    connection.pause(400ms);
    connection.write("PONG");
    if (connection.read().empty()) ++ended;
  });
  const auto started = io::now();
  Asking asking;
  const auto fact = asking.first(Asking::read("{" + tcp(server, ", expect: PONG, latency: 40ms") + "}"));
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "took more than 40 ms: ended while waiting for an answer");
  CHECK(fact.latency == 40ms);
  CHECK(io::now() - started >= 40ms);
  CHECK(io::now() - started < 300ms);
  asking.run_until([&ended] { return ended > 0; });
}

TEST_CASE("tcp: an answer that lay here before the bound is in time, though this node stood still") {
  std::atomic<bool> written = false;
  Server server([&written](Connection& connection) {
    connection.write("PONG");
    written = true;
    connection.hang();
  });
  Asking asking;
  auto check = Asking::read("{" + tcp(server, ", expect: PONG, latency: 100ms") + "}");
  check.interval = 1h;
  asking.use(check);
  while (!written) asking.turn(io::now() + 1ms);
  if (asking.facts.empty()) {
    std::this_thread::sleep_for(200ms);
    asking.run_until([&] { return !asking.facts.empty(); });
  }
  REQUIRE_FALSE(asking.facts.empty());
  CHECK(asking.facts[0].healthy);
}

TEST_CASE("tcp: the deadline is for the whole, also against a server that drips") {
  Server server([](Connection& connection) {
    while (connection.pause(20ms) && connection.write("x")) continue;
  });
  CHECK(timed_out(ask(tcp(server, ", expect: PONG, timeout: 200ms")), "200ms"));
}

TEST_CASE("tcp: each connection is closed after its answer") {
  std::atomic<int> ended = 0;
  Server server([&ended](Connection& connection) {
    while (!connection.read().empty()) continue;
    ++ended;
  });
  Asking asking;
  auto check = Asking::read("{" + tcp(server) + "}");
  check.interval = 10ms;
  asking.use(check);
  asking.run_until([&] { return asking.status().runs >= 5 && ended >= 4; });
}

TEST_CASE("tcp: by TLS") {
  const Scratch scratch;
  const auto authority = make_identity("Test CA", "", nullptr);
  const auto ca = write_certificate(scratch, "ca.pem", authority);
  const auto identity = make_identity("server", "DNS:db.example.net,IP:127.0.0.1", &authority);
  Server server(redis, &identity);
  CHECK(ask(tcp(server, ", tls: {ca_file: " + ca + "}"))
            .detail.starts_with("TLS connection to " + server.endpoint()));
  CHECK(ask(tcp(server, ", send: PING, expect: PONG, tls: {ca_file: " + ca + "}")).healthy);
  CHECK(
      ask(tcp(server, ", send: PING, expect: PONG, tls: {ca_file: " + ca + ", server_name: db.example.net}"))
          .healthy);

  CHECK(ask(tcp(server, ", tls: {ca_file: " + ca + ", server_name: other.example.net}")).detail ==
        "TLS handshake with " + server.endpoint() + ": certificate verify failed: hostname mismatch");
  CHECK(contains(ask(tcp(server, ", tls: true")).detail, "certificate verify failed: "));
  CHECK(ask(tcp(server, ", tls: {verify: false}")).healthy);

  const auto old = make_identity("old", "IP:127.0.0.1", &authority, -60);
  Server expired(redis, &old);
  CHECK(ask(tcp(expired, ", tls: {ca_file: " + ca + "}")).detail ==
        "TLS handshake with " + expired.endpoint() + ": certificate verify failed: certificate has expired");

  Server plain([](Connection& connection) { connection.write("220 hello\r\n"), connection.hang(); });
  CHECK(contains(ask(tcp(plain, ", tls: {verify: false}")).detail, "TLS handshake with " + plain.endpoint()));
  Server silent([](Connection& connection) { connection.hang(); });
  CHECK(ask(tcp(silent, ", tls: {verify: false}, timeout: 100ms")).detail ==
        "timed out after 100ms in the TLS handshake with " + silent.endpoint());
}

TEST_CASE("tcp: a healthy service stays up while this node has no descriptors to ask it") {
  Server server([](Connection& connection) { connection.hang(); });
  Asking asking;
  asking.use(Asking::read("{" + tcp(server) + ", interval: 10ms, fall: 2}"));
  asking.run_until([&] { return !asking.facts.empty(); });
  {
    const NoDescriptors none;
    const auto runs = asking.status().runs;
    asking.run_until([&] { return asking.status().runs > runs + 5; });
    CHECK(asking.status().detail == "creating a socket: Too many open files");
  }
  CHECK(asking.facts.size() == 1);
  CHECK(asking.status().healthy == true);
}
