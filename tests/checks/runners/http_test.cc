#include <doctest/doctest.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/checks/runners/asking.h"
#include "tests/checks/runners/certificates.h"
#include "tests/checks/runners/server.h"

using namespace vipd;
using namespace vipd::testing;
using namespace std::chrono_literals;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string http(const Server& server, const std::string& rest = "") {
  return "http: \"http://" + server.endpoint() + "/healthz\"" + rest;
}
std::string https(const Server& server, const std::string& rest = "") {
  return "http: \"https://" + server.endpoint() + "/healthz\"" + rest;
}

// An authority, a good server certificate, and its file.
struct Tls {
  Scratch scratch;
  Identity authority = make_identity("Test CA", "", nullptr);
  std::string ca = write_certificate(scratch, "ca.pem", authority);
  Identity good = make_identity("good", "DNS:www.example.net,IP:127.0.0.1", &authority);
};

}  // namespace

TEST_CASE("http: 200 is healthy, and says how long it took") {
  Server server(answering(http_answer("200 OK", "hello")));
  const auto fact = ask(http(server));
  CHECK(fact.healthy);
  CHECK(fact.detail.starts_with("200 OK in "));
  CHECK(fact.latency > 0s);
  CHECK(fact.latency < 2s);
}

TEST_CASE("http: over IPv6") {
  Server server(answering(http_answer("200 OK", "hello")), nullptr, true);
  CHECK(ask(http(server)).healthy);
}

TEST_CASE("http: the request is what was configured") {
  std::string request;
  std::mutex mutex;
  Server server([&](Connection& connection) {
    const std::lock_guard lock(mutex);
    request = connection.read_request();
    connection.write(http_answer("200 OK", ""));
  });
  ask("http: \"http://" + server.endpoint() +
      "/a/../b?c=d\", host: www.example.net, headers: {X-Probe: \"7\"}");
  const std::lock_guard lock(mutex);
  CHECK(request.starts_with("GET /a/../b?c=d HTTP/1.1\r\n"));
  CHECK(contains(request, "\r\nHost: www.example.net\r\n"));
  CHECK(contains(request, "\r\nX-Probe: 7\r\n"));
  CHECK(contains(request, "\r\nConnection: close\r\n"));
  CHECK(contains(request, "\r\nUser-Agent: vipd\r\n"));
  CHECK_FALSE(contains(request, "Accept-Encoding"));
}

TEST_CASE("http: without a host key the Host header is the URL's") {
  std::string request;
  std::mutex mutex;
  Server server([&](Connection& connection) {
    const std::lock_guard lock(mutex);
    request = connection.read_request();
    connection.write(http_answer("200 OK", ""));
  });
  ask(http(server));
  const std::lock_guard lock(mutex);
  CHECK(contains(request, "\r\nHost: " + server.endpoint() + "\r\n"));
}

TEST_CASE("http: HEAD needs no body") {
  Server server([](Connection& connection) {
    const bool head = connection.read_request().starts_with("HEAD ");
    connection.write(head ? "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" : http_answer("500 Oops", ""));
  });
  CHECK(ask(http(server, ", method: HEAD")).healthy);
}

TEST_CASE("http: a status that was not expected has failed") {
  Server bad(answering(http_answer("502 Bad Gateway", "oops")));
  const auto fact = ask(http(bad));
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "status 502 Bad Gateway, expected 200");
  CHECK(ask(http(bad, ", expect: {status: [200, 500-599]}")).healthy);
  Server strange(answering("HTTP/1.1 299 \x1b[31mred\r\nContent-Length: 0\r\n\r\n"));
  CHECK(ask(http(strange)).detail == "status 299, expected 200");
}

TEST_CASE("http: a redirect is a status, and is not followed") {
  Server server(
      answering(http_answer("301 Moved Permanently", "", "Location: http://192.0.2.1/elsewhere\r\n")));
  const auto fact = ask(http(server));
  CHECK(fact.detail == "status 301 Moved Permanently to \"http://192.0.2.1/elsewhere\", expected 200");
  CHECK(server.accepted() >= 1);
  CHECK(ask(http(server, ", expect: {status: 300-399}")).healthy);
}

TEST_CASE("http: the body must contain the text, even if it comes in pieces") {
  Server server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nstate: re");
    connection.pause(20ms);
    connection.write("ady, load 1");
  });
  CHECK(ask(http(server, ", expect: {body: \"ready, load\"}")).healthy);
  const auto fact = ask(http(server, ", expect: {body: \"not here\"}"));
  CHECK_FALSE(fact.healthy);
  CHECK(contains(fact.detail, "200 OK in "));
  CHECK(contains(fact.detail, ", but the body does not contain \"not here\""));
}

TEST_CASE("http: of an endless body no more is read than a MiB, and no more than needed") {
  Server server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\n\r\nready ");
    while (connection.write(std::string(65536, 'x'))) continue;
  });
  CHECK(ask(http(server, ", expect: {body: ready}")).healthy);
  CHECK(ask(http(server)).healthy);
  const auto fact = ask(http(server, ", expect: {body: absent}"));
  CHECK_FALSE(fact.healthy);
  CHECK(contains(fact.detail, "but the first 1 MiB of the body does not contain \"absent\""));
}

TEST_CASE("http: an answer slower than allowed has failed at the bound, not when it comes") {
  Server server([](Connection& connection) {
    connection.read_request();
    connection.pause(400ms);
    connection.write(http_answer("200 OK", ""));
  });
  const auto started = io::now();
  const auto slow = ask(http(server, ", expect: {latency: 50ms}"));
  CHECK_FALSE(slow.healthy);
  CHECK(slow.detail == "took more than 50 ms: ended while waiting for an answer");
  CHECK(slow.latency == 50ms);
  CHECK(io::now() - started >= 50ms);
  CHECK(io::now() - started < 300ms);
  CHECK(ask(http(server, ", expect: {latency: 1s}")).healthy);
}

TEST_CASE("http: a body that drips beyond the bound has failed at it") {
  Server server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (connection.pause(10ms) && connection.write("x")) continue;
  });
  const auto slow = ask(http(server, ", expect: {latency: 50ms}"));
  CHECK(slow.detail == "took more than 50 ms: ended while reading the answer");
}

TEST_CASE("http: an answer that lay here before the bound is in time, though this node stood still") {
  Server server(answering(http_answer("200 OK", "")));
  Asking asking;
  auto check = Asking::read("{" + http(server, ", expect: {latency: 100ms}") + "}");
  check.interval = 1h;
  asking.use(check);
  asking.run_until(
      [&] { return server.accepted() > 0; });  // and so the request was sent, or is at the next turn
  asking.turn(io::now() + 5ms);
  std::this_thread::sleep_for(200ms);
  asking.run_until([&] { return !asking.facts.empty(); });
  REQUIRE_FALSE(asking.facts.empty());
  CHECK(asking.facts[0].healthy);
}

TEST_CASE("http: the connection of an attempt that was too slow is closed, a kept one too") {
  std::atomic<int> ended = 0;
  Server server([&ended](Connection& connection) {
    connection.read_request();
    connection.read();  // until it is closed
    ++ended;
  });
  Asking asking;
  auto check = Asking::read("{" + http(server, ", expect: {latency: 20ms}, reuse: true") + "}");
  check.interval = 50ms;
  asking.use(check);
  asking.run_until([&] { return asking.status().failures >= 3 && ended >= 3; });
  CHECK(server.accepted() >= 3);
}

TEST_CASE("http: the deadline is for the whole request, also against a server that drips") {
  Server server([](Connection& connection) {
    connection.read_request();
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (connection.pause(20ms) && connection.write("x")) continue;
  });
  const auto started = io::now();
  const auto fact = ask(http(server, ", timeout: 300ms"));
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail == "timed out after 300ms while reading the answer");
  CHECK(io::now() - started < 1s);
}

TEST_CASE("http: the deadline says what was waited for") {
  Server silent([](Connection& connection) { connection.hang(); });
  CHECK(ask(http(silent, ", timeout: 100ms")).detail == "timed out after 100ms while waiting for an answer");
  CHECK(ask(https(silent, ", timeout: 100ms")).detail ==
        "timed out after 100ms in the TLS handshake with " + silent.endpoint());
}

TEST_CASE("http: nobody there, nothing said, cut off") {
  std::string nobody;
  {
    Server server([](Connection&) {});
    nobody = server.endpoint();
  }
  CHECK(ask("http: \"http://" + nobody + "/\"").detail == "connecting to " + nobody + ": Connection refused");
  Server mute([](Connection& connection) { connection.read_request(); });
  CHECK(ask(http(mute)).detail == mute.endpoint() + " closed the connection without an answer");
  Server cut(answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfour"));
  const auto fact = ask(http(cut));
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail.starts_with("the answer was cut off: "));
  Server babbler(answering("SSH-2.0-OpenSSH_9.2\r\n"));
  CHECK_FALSE(ask(http(babbler)).healthy);
  Server resetter([](Connection& connection) { connection.read_request(), connection.reset(); });
  CHECK(contains(ask(http(resetter)).detail, "Connection reset by peer"));
}

TEST_CASE("http: proxies of the environment are not used") {
  Server server(answering(http_answer("200 OK", "")));
  for (const char* name : {"http_proxy", "HTTPS_PROXY", "ALL_PROXY"})
    ::setenv(name, "http://127.0.0.1:1/", 1);
  const auto fact = ask(http(server));
  for (const char* name : {"http_proxy", "HTTPS_PROXY", "ALL_PROXY"}) ::unsetenv(name);
  CHECK(fact.healthy);
}

TEST_CASE("http: each attempt connects anew, unless reuse says otherwise") {
  Server server([](Connection& connection) {
    while (!connection.read_request().empty()) connection.write(http_answer("200 OK", ""));
  });
  const auto connections_of_five = [&server](const std::string& rest) {
    const int before = server.accepted();
    Asking asking;
    auto check = Asking::read("{" + http(server, rest) + "}");
    check.interval = 10ms;
    asking.use(check);
    asking.run_until([&asking] { return asking.status().runs >= 5; });
    CHECK(asking.status().failures == 0);
    return server.accepted() - before;
  };
  CHECK(connections_of_five("") >= 5);
  CHECK(connections_of_five(", reuse: true") == 1);
}

TEST_CASE("http: a kept connection that the server has closed is no failure") {
  Server server(answering(http_answer("200 OK", "")));  // closes after each answer, without saying so
  Asking asking;
  auto check = Asking::read("{" + http(server, ", reuse: true") + "}");
  check.interval = 10ms;
  asking.use(check);
  asking.run_until([&asking] { return asking.status().runs >= 10; });
  CHECK(asking.status().failures == 0);
}

TEST_CASE("https: a certificate of a known authority, for the right name") {
  const Tls tls;
  Server server(answering(http_answer("200 OK", "")), &tls.good);
  CHECK(ask(https(server, ", tls: {ca_file: " + tls.ca + "}")).healthy);
  CHECK(ask(https(server, ", tls: {ca_file: " + tls.ca + ", server_name: www.example.net}")).healthy);
  CHECK(ask(https(server, ", host: www.example.net, tls: {ca_file: " + tls.ca + "}")).healthy);
}

TEST_CASE("https: the name that is asked for is server_name, else the host, else the URL's") {
  const Tls tls;
  std::string asked;
  std::mutex mutex;
  Server server(
      [&](Connection& connection) {
        const std::lock_guard lock(mutex);
        asked = connection.asked_name() + " " + connection.read_request();
        connection.write(http_answer("200 OK", ""));
      },
      &tls.good);
  const auto asked_for = [&](const std::string& rest) {
    ask(https(server, rest));
    const std::lock_guard lock(mutex);
    return asked;
  };
  const auto both =
      asked_for(", host: www.example.net, tls: {verify: false, server_name: other.example.net}");
  CHECK(both.starts_with("other.example.net GET"));
  CHECK(contains(both, "\r\nHost: www.example.net\r\n"));
  CHECK(
      asked_for(", host: \"www.example.net:8443\", tls: {verify: false}").starts_with("www.example.net GET"));
  const auto neither = asked_for(", tls: {verify: false}");
  CHECK(neither.starts_with(" GET"));  // an address is not asked for by name
  CHECK(contains(neither, "\r\nHost: " + server.endpoint() + "\r\n"));
}

TEST_CASE("https: wrong name, unknown authority, expired") {
  const Tls tls;
  Server good(answering(http_answer("200 OK", "")), &tls.good);
  const auto wrong = ask(https(good, ", tls: {ca_file: " + tls.ca + ", server_name: other.example.net}"));
  CHECK_FALSE(wrong.healthy);
  CHECK(contains(wrong.detail, "TLS handshake with " + good.endpoint()));
  CHECK(contains(wrong.detail, "other.example.net"));

  const auto unknown = ask(https(good));
  CHECK_FALSE(unknown.healthy);
  CHECK(contains(unknown.detail, "unable to get local issuer certificate"));

  const auto old = make_identity("old", "IP:127.0.0.1", &tls.authority, -60);
  Server expired(answering(http_answer("200 OK", "")), &old);
  const auto late = ask(https(expired, ", tls: {ca_file: " + tls.ca + "}"));
  CHECK_FALSE(late.healthy);
  CHECK(contains(late.detail, "certificate has expired"));
  CHECK(ask(https(expired, ", tls: {verify: false}")).healthy);
}

TEST_CASE("https: a server that is asked for our certificate gets it") {
  const Tls tls;
  Server server(answering(http_answer("200 OK", "")), &tls.good);
  server.require_client_certificate(tls.ca);
  const auto us = make_identity("us", "DNS:us.example.net", &tls.authority);
  const auto certificate = write_certificate(tls.scratch, "us.pem", us);
  const auto key = write_key(tls.scratch, "us.key", us);
  CHECK_FALSE(ask(https(server, ", tls: {ca_file: " + tls.ca + "}")).healthy);
  CHECK(ask(https(server,
                  ", tls: {ca_file: " + tls.ca + ", cert_file: " + certificate + ", key_file: " + key + "}"))
            .healthy);
}

TEST_CASE("https: an authority's file that has gone since fails the check, and says so") {
  const Tls tls;
  Server server(answering(http_answer("200 OK", "")), &tls.good);
  auto check = Asking::read("{" + https(server, ", tls: {ca_file: " + tls.ca + "}") + "}");
  ::unlink(tls.ca.c_str());
  Asking asking;
  const auto fact = asking.first(check);
  CHECK_FALSE(fact.healthy);
  CHECK(contains(fact.detail, tls.ca));
}

TEST_CASE("https: not TLS at all") {
  Server server([](Connection& connection) {
    connection.read();
    connection.write(http_answer("400 Bad Request", ""));
  });
  const auto fact = ask(https(server));
  CHECK_FALSE(fact.healthy);
  CHECK(fact.detail.starts_with("TLS handshake with " + server.endpoint() + ": "));
}

TEST_CASE("http: HTTP/2 where TLS negotiates it, by nginx") {
  const Tls tls;
  const auto key = write_key(tls.scratch, "server.key", tls.good);
  const auto certificate = write_certificate(tls.scratch, "server.pem", tls.good);
  int port = 0;
  {
    Server place([](Connection&) {});
    port = place.port();
  }
  const auto address = "127.0.0.1:" + std::to_string(port);
  const auto conf = tls.scratch.file(
      "nginx.conf", "daemon off; master_process off; user root; pid " + tls.scratch.path() +
                        "/pid; error_log /dev/null; events {} http { access_log off; server { listen " +
                        address + " ssl http2; ssl_certificate " + certificate + "; ssl_certificate_key " +
                        key + "; return 200 $server_protocol; } }");
  auto nginx = io::spawn({"/usr/sbin/nginx", "-c", conf, "-e", "/dev/null"}, {.death_signal = SIGKILL});
  REQUIRE(nginx);
  Asking asking;
  auto check = Asking::read("{http: \"https://" + address +
                            "/\", expect: {body: HTTP/2.0}, tls: {ca_file: " + tls.ca + "}}");
  check.interval = 20ms;
  check.rise = 1;
  asking.use(check);
  asking.run_until([&asking] { return asking.status().healthy == true; });
  CHECK(asking.status().detail.starts_with("200 OK in "));
  CHECK(io::kill(*nginx, SIGKILL));
  while (!io::reap(*nginx).value_or(std::nullopt)) asking.run(5ms);
}

TEST_CASE("http: a check that is removed while it waits is gone without a word") {
  Server server([](Connection& connection) { connection.hang(); });
  Asking asking;
  auto check = Asking::read("{" + http(server) + "}");
  check.interval = 10ms;
  asking.use(check);
  asking.run_until([&] { return server.accepted() > 0; });
  asking.monitor.replace({}, io::now());
  asking.run(50ms);
  CHECK(asking.facts.empty());
}

TEST_CASE("http: a healthy service stays up while this node has no descriptors to ask it") {
  Server server(answering(http_answer("200 OK", "hello")));
  Asking asking;
  asking.use(Asking::read("{" + http(server) + ", interval: 10ms, fall: 2}"));
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
