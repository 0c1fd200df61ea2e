#include <doctest/doctest.h>

#include <filesystem>

#include "checks/settings/check_archive.h"
#include "checks/settings/check_settings.h"
#include "checks/settings/http_settings.h"
#include "checks/settings/script_settings.h"
#include "checks/settings/tcp_settings.h"
#include "tests/checks/flow.h"
#include "tests/checks/scratch.h"

using namespace vipd;
using namespace vipd::checks;
using namespace std::chrono_literals;
using testing::Flow;
using testing::Scratch;

namespace {

// A check read from text, and the diagnostics about it.
struct Read {
  explicit Read(std::string text) : source(std::move(text)), diagnostics("vipd.yaml", source) {
    node = Flow::parse(source);
    Reader reader(node, diagnostics, "check nginx");
    check = read_check(reader, "web/nginx");
  }
  std::string source;
  Diagnostics diagnostics;
  Node node;
  CheckConfig check;

  // The messages and remedies, one per line.
  std::string said() const {
    std::string text;
    for (const auto& each : diagnostics.all()) {
      if (!text.empty()) text += "\n";
      text += each.message + (each.remedy.empty() ? "" : " | " + each.remedy);
    }
    return text;
  }
};

std::string said(const std::string& text) {
  return Read(text).said();
}

template <class T>
T settings(const std::string& text) {
  const Read read(text);
  CHECK(read.said() == "");
  Diagnostics unread({}, {});
  Reader reader(read.check.settings, unread, "check");
  const auto made = find_kind(read.check.kind)->read(reader);
  return dynamic_cast<T&>(*made);
}

HttpSettings http(const std::string& rest) {
  return settings<HttpSettings>("{http: http://127.0.0.1/healthz" + rest + "}");
}

}  // namespace

TEST_CASE("a check with only the key of its kind gets the defaults") {
  const Read read("{http: http://127.0.0.1/healthz}");
  CHECK(read.said() == "");
  CHECK(read.check.name == "web/nginx");
  CHECK(read.check.kind == "http");
  CHECK(read.check.interval == 1s);
  CHECK(read.check.timeout == 2s);
  CHECK(read.check.fall == 3);
  CHECK(read.check.rise == 2);
  CHECK(read.check.on_failure == OnFailure{.priority = -254, .initialize = false});
}

TEST_CASE("the keys that all kinds share are read") {
  const Read read(
      "{tcp: 127.0.0.1:6379, interval: 100ms, timeout: 250ms, fall: 5, rise: 1, on_failure: {priority: "
      "-60}}");
  CHECK(read.said() == "");
  CHECK(read.check.interval == 100ms);
  CHECK(read.check.timeout == 250ms);
  CHECK(read.check.fall == 5);
  CHECK(read.check.rise == 1);
  CHECK(read.check.on_failure.priority == -60);
  const Read initialize("{tcp: 127.0.0.1:6379, on_failure: initialize}");
  CHECK(initialize.check.on_failure == OnFailure{.priority = 0, .initialize = true});
}

TEST_CASE("only the kind's own keys are kept as its settings, the kind first") {
  const Read read("{interval: 1s, send: PING, tcp: 127.0.0.1:6379, expect: PONG, fall: 2}");
  CHECK(read.check.settings == Node::map({{"tcp", Node::text("127.0.0.1:6379")},
                                          {"send", Node::text("PING")},
                                          {"expect", Node::text("PONG")}}));
  CHECK(read.check.settings.entries[0].key == "tcp");
}

TEST_CASE("a check written back reads as the same check") {
  for (const char* text : {"{http: \"https://[::1]:8443/x?y\", expect: {status: [200, 300-399], body: ready, "
                           "latency: 1.5ms}, timeout: 1s}",
                           "{tcp: localhost:25, expect: 220, on_failure: initialize}"}) {
    const Read read(text);
    REQUIRE(read.said() == "");
    Diagnostics diagnostics({}, {});
    const Node written = check_to_node(read.check);
    Reader reader(written, diagnostics, "check nginx");
    CHECK(read_check(reader, "web/nginx") == read.check);
    CHECK_FALSE(diagnostics.has_errors());
  }
}

TEST_CASE("a check survives the transfer to another process") {
  const Read read(
      "{http: http://127.0.0.1/, expect: {status: [200, 204]}, headers: {X-Probe: \"1\"}, fall: 7}");
  CHECK(from_bytes<CheckConfig>(to_bytes(read.check)).value() == read.check);
}

TEST_CASE("an error is shown at its place, with a remedy") {
  const auto shown = Read("{http: http://127.0.0.1/,\n expect: {status: 2xx}}").diagnostics.render();
  CHECK(shown.starts_with("vipd.yaml:2:19: error: status must be "));
  CHECK(
      shown.ends_with(", not \"2xx\"\n"
                      "   2 |  expect: {status: 2xx}}\n"
                      "     |                   ^~~\n"
                      "     write 200, 200-299 or [200, 204, 300-399]\n"));
}

TEST_CASE("a check is of exactly one kind") {
  CHECK(said("{interval: 1s}") ==
        "check nginx does not say what to check | add one of the keys http, tcp or script");
  CHECK(said("{http: http://127.0.0.1/, tcp: 127.0.0.1:80}") ==
        "check nginx has both http and tcp | split it into two checks");
}

TEST_CASE("misspelt keys are found at every level") {
  CHECK(said("{http: http://127.0.0.1/, intervall: 1s}") ==
        "unknown key \"intervall\" in check nginx | did you mean \"interval\"?");
  CHECK(said("{http: http://127.0.0.1/, expect: {latencey: 1s}}") ==
        "unknown key \"latencey\" in expect of check nginx | did you mean \"latency\"?");
  CHECK(said("{tcp: 127.0.0.1:80, tls: {verfy: true}}") ==
        "unknown key \"verfy\" in tls of check nginx | did you mean \"verify\"?");
  CHECK(said("{tcp: 127.0.0.1:80, on_failure: {prioritty: -1}}").find("did you mean \"priority\"?") !=
        std::string::npos);
}

TEST_CASE("all errors in a check are reported at once") {
  CHECK(said("{tcp: 127.0.0.1, interval: 3, fall: 0, on_failure: {priority: 60}}") ==
        "\"127.0.0.1\" has no port: write 127.0.0.1:PORT\n"
        "interval: \"3\" has no unit: write 3ms, 3s or 3m\n"
        "fall must be 1 to 1000, not 0\n"
        "priority must be -254 to -1, not 60");
  CHECK(
      said("{tcp: 127.0.0.1:1, on_failure: [initialize]}") ==
      "on_failure must be a map or initialize | write on_failure: {priority: -60} or on_failure: initialize");
  CHECK(said("{tcp: 127.0.0.1:1, on_failure: {}}") ==
        "on_failure of check nginx has no priority | add \"priority:\" to it");
  CHECK(said("{tcp: 127.0.0.1:1, on_failure: stop}") ==
        "on_failure must be a map or initialize, not \"stop\" | write on_failure: {priority: -60} or "
        "on_failure: initialize");
}

TEST_CASE("a latency that is not shorter than the timeout is an error") {
  CHECK(said("{http: http://127.0.0.1/, expect: {latency: 2s}}")
            .starts_with("latency (2s) must be shorter than timeout (2s)"));
  CHECK(said("{tcp: 127.0.0.1:80, latency: 300ms, timeout: 200ms}")
            .starts_with("latency (300ms) must be shorter than timeout (200ms)"));
  CHECK(said("{script: [/bin/true], latency: 300ms, timeout: 300ms}")
            .starts_with("latency (300ms) must be shorter than timeout (300ms)"));
}

TEST_CASE("endpoints are addresses or names with a port") {
  CHECK(parse_endpoint("127.0.0.1:6379").value() == Endpoint{"127.0.0.1", 6379, true});
  CHECK(parse_endpoint("[::1]:80").value() == Endpoint{"::1", 80, true});
  CHECK(parse_endpoint("[fe80::1%eth0]:80").value() == Endpoint{"fe80::1%eth0", 80, true});
  CHECK(parse_endpoint("db.example.net:3306").value() == Endpoint{"db.example.net", 3306, false});
  CHECK(to_string(parse_endpoint("[2001:db8::1]:80").value()) == "[2001:db8::1]:80");
  CHECK(parse_endpoint("::1:80").error().message ==
        "\"::1:80\" is ambiguous: write an IPv6 address in brackets, such as [::1]:80");
  CHECK(parse_endpoint("127.0.0.1:0").error().message == "the port must be 1 to 65535, not \"0\"");
  CHECK(parse_endpoint("127.0.0.1:http").error().message == "the port must be 1 to 65535, not \"http\"");
  CHECK(parse_endpoint("127.0.0.300:80").error().message == "\"127.0.0.300\" is not an IPv4 address");
  CHECK(parse_endpoint("[localhost]:80").error().message == "\"localhost\" is not an IPv6 address");
  CHECK(parse_endpoint(":80").error().message == "the host is missing");
  CHECK(parse_endpoint("a b:80").error().message == "\"a b\" is neither an address nor a host name");
  CHECK(parse_endpoint("[::1").error().message == "\"[::1\" has no closing bracket: write [ADDRESS]:PORT");
  CHECK(parse_endpoint("[::1]80").error().message ==
        "\"[::1]80\" has extra characters between the address and the port: write [ADDRESS]:PORT");
}

TEST_CASE("URLs are parsed") {
  CHECK(parse_url("http://127.0.0.1/healthz").value() == Url{false, {"127.0.0.1", 80, true}, "/healthz"});
  CHECK(parse_url("https://[::1]:8443/x?y=z").value() == Url{true, {"::1", 8443, true}, "/x?y=z"});
  CHECK(parse_url("https://www.example.net").value() == Url{true, {"www.example.net", 443, false}, "/"});
  CHECK(parse_url("http://127.0.0.1?q").value().target == "/?q");
  CHECK(parse_url("http://[fe80::1%25eth0]/").value().endpoint.host == "fe80::1%eth0");
}

TEST_CASE("a URL that cannot be requested is an error") {
  CHECK(said("{http: 127.0.0.1}") == "\"127.0.0.1\" is not a URL that starts with http:// or https://");
  CHECK(said("{http: ftp://127.0.0.1/}") ==
        "\"ftp://127.0.0.1/\" is not a URL that starts with http:// or https://");
  CHECK(said("{http: \"http://127.0.0.1/a b\"}") ==
        "\"http://127.0.0.1/a b\" contains a character that must be written as %XX in a URL");
  CHECK(said("{http: http://me:secret@127.0.0.1/}") ==
        "\"http://me:secret@127.0.0.1/\" contains a user name: send it with headers: {Authorization: ...}");
  CHECK(said("{http: http://127.0.0.1/#top}") ==
        "\"http://127.0.0.1/#top\" has a #fragment, which clients never send: remove it");
}

TEST_CASE("http: the expected status is a code, a range or a list of both") {
  CHECK(to_string(http("").status) == "200");
  CHECK(to_string(http(", expect: {status: 204}").status) == "204");
  CHECK(to_string(http(", expect: {status: 200-299}").status) == "200-299");
  const auto mixed = http(", expect: {status: [200, 204, 300-399]}").status;
  CHECK(to_string(mixed) == "200, 204 or 300-399");
  CHECK(mixed.contains(204));
  CHECK(mixed.contains(399));
  CHECK_FALSE(mixed.contains(201));
  CHECK(said("{http: http://127.0.0.1/, expect: {status: 299-200}}") ==
        "status must be a code from 100 to 599 or an ascending range of codes, not \"299-200\" | "
        "write 200, 200-299 or [200, 204, 300-399]");
  CHECK(said("{http: http://127.0.0.1/, expect: {status: {code: 200}}}") ==
        "status must be a code, a range of codes or a list of them | write 200, 200-299 or [200, 204, "
        "300-399]");
  CHECK(said("{http: http://127.0.0.1/, expect: {status: []}}") ==
        "status is an empty list: no answer would pass the check");
}

TEST_CASE("http: the other keys are read") {
  const auto all = http(
      ", expect: {body: ready, latency: 500ms}, host: www.example.net, headers: {X-Probe: vipd}, reuse: "
      "true");
  CHECK(all.body == "ready");
  CHECK(all.latency == Duration{500ms});
  CHECK(all.host == "www.example.net");
  CHECK(all.headers == std::vector<std::pair<std::string, std::string>>{{"X-Probe", "vipd"}});
  CHECK(all.reuse);
  CHECK(http(", method: HEAD").head);
}

TEST_CASE("http: a value that cannot be part of a request is an error") {
  CHECK(said("{http: http://127.0.0.1/, method: POST}") == "method must be GET or HEAD, not \"POST\"");
  CHECK(said("{http: http://127.0.0.1/, method: HEAD, expect: {body: x}}") ==
        "the answer to HEAD has no body, but expect requires one | use method: GET");
  CHECK(said("{http: http://127.0.0.1/, headers: [X-Probe]}") ==
        "headers must be a map | write headers: {NAME: VALUE}");
  CHECK(said("{http: http://127.0.0.1/, headers: {Host: a}}") ==
        "the Host header has its own key | write host: NAME beside http");
  CHECK(said("{http: http://127.0.0.1/, headers: {Connection: close}}") ==
        "the check sets the header Connection itself | remove it");
  CHECK(said("{http: http://127.0.0.1/, headers: {X Y: a}}") == "\"X Y\" is not a valid header name");
  CHECK(said("{http: http://127.0.0.1/, headers: {X: \"a\nEvil: b\"}}") ==
        "the header X must be one line of text");
  CHECK(said("{http: http://127.0.0.1/, host: \"a b\"}") ==
        "host must be a host name with an optional port, not \"a b\"");
  CHECK(said("{http: http://127.0.0.1/, expect: {body: \"\"}}") == "body is empty: every answer would match");
}

TEST_CASE("tls: files are checked when the configuration is read") {
  const Scratch scratch;
  const auto ca = scratch.file("ca.pem", "-----BEGIN CERTIFICATE-----\n");
  const auto text = scratch.file("text", "hello\n");
  CHECK(said("{http: https://127.0.0.1/, tls: {ca_file: " + ca + ", server_name: www.example.net}}") == "");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {ca_file: " + scratch.path() + "/none.pem}}") ==
        "cannot read ca_file " + scratch.path() +
            "/none.pem: No such file or directory | correct the path, or make the file readable");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {ca_file: " + scratch.path() + "}}") ==
        "cannot read ca_file " + scratch.path() +
            ": Is a directory | correct the path, or make the file readable");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {ca_file: " + text + "}}") ==
        "ca_file " + text + " contains no certificate in PEM format");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {ca_file: ca.pem}}") ==
        "ca_file must be an absolute path, not \"ca.pem\"");
  const auto key = scratch.file("key.pem", "-----BEGIN EC PRIVATE KEY-----\n");
  const auto with_key = "{tcp: 127.0.0.1:443, tls: {cert_file: " + ca + ", key_file: " + key + "}}";
  std::filesystem::permissions(key, static_cast<std::filesystem::perms>(0640));
  CHECK(said(with_key) == "");
  std::filesystem::permissions(key, static_cast<std::filesystem::perms>(0644));
  CHECK(said(with_key) == "every user can read " + key + ", which contains a secret | chmod o-rwx " + key);
  CHECK(said("{tcp: 127.0.0.1:443, tls: {cert_file: " + ca + ", key_file: " + ca + "}}") ==
        "key_file " + ca + " contains no private key in PEM format");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {server_name: \"a b\"}}") ==
        "server_name must be a host name, not \"a b\"");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {cert_file: " + ca + "}}") == "cert_file needs key_file beside it");
  CHECK(said("{tcp: 127.0.0.1:443, tls: {ca_file: " + ca + ", verify: false}}") ==
        "ca_file has no effect: verify is false");
}

TEST_CASE("tls: in a tcp check it is a map or true, in an http check it needs an https URL") {
  CHECK_FALSE(settings<TcpSettings>("{tcp: 127.0.0.1:443}").tls);
  CHECK(settings<TcpSettings>("{tcp: 127.0.0.1:443, tls: true}").tls->verify);
  CHECK_FALSE(settings<TcpSettings>("{tcp: 127.0.0.1:443, tls: {verify: false}}").tls->verify);
  CHECK_FALSE(settings<TcpSettings>("{tcp: 127.0.0.1:443, tls: false}").tls);
  CHECK(said("{tcp: 127.0.0.1:443, tls: maybe}") ==
        "tls must be a map or true | write tls: true, or tls: {ca_file: /etc/ssl/ca.pem}");
  CHECK(said("{http: http://127.0.0.1/, tls: true}") == "tls is set, but the URL is not https");
}

TEST_CASE("tcp: send, expect and latency") {
  const auto tcp = settings<TcpSettings>("{tcp: \"[::1]:6379\", send: PING, expect: PONG, latency: 50ms}");
  CHECK(tcp.endpoint == Endpoint{"::1", 6379, true});
  CHECK(tcp.send == "PING");
  CHECK(tcp.expect == "PONG");
  CHECK(tcp.latency == Duration{50ms});
  CHECK(said("{tcp: 127.0.0.1:80, send: \"" + std::string(4097, 'x') + "\"}") ==
        "send has 4097 bytes, but the limit is 4096");
  CHECK(said("{tcp: 127.0.0.1:80, expect: {status: 200}}") ==
        "expect of a tcp check must be a string, not a map | write expect: TEXT, and latency beside it");
}

TEST_CASE("script: words, not a command line") {
  const Scratch scratch;
  const auto script = scratch.file("check", "#!/bin/sh\n", 0755);
  const auto read = settings<ScriptSettings>("{script: [" + script +
                                             ", --max, \"5\"], user: root, result: priority, latency: 50ms}");
  CHECK(read.argv == std::vector<std::string>{script, "--max", "5"});
  CHECK(read.user == "root");
  CHECK(read.result == ScriptResult::priority);
  CHECK(read.latency == Duration{50ms});
  CHECK(said("{script: /usr/lib/x/check --fast}") ==
        "script must be a list: the program and its arguments | write a list such as script: "
        "[/usr/lib/x/check, --fast]; no shell interprets it");
  std::string many = "/bin/true";
  for (int i = 0; i < 256; ++i) many += ", x";
  CHECK(said("{script: [" + many + "]}") ==
        "script has more than 256 words | write a script that calls the program with them");
  CHECK(said(std::string("{script: [/bin/true, \"a\0b\"]}", 28)) ==
        "script contains a zero byte | remove it: an argument of a program would end there");
  CHECK(said("{script: [check]}") == "the program of script must be an absolute path, not \"check\"");
}

TEST_CASE("script: a program that cannot be run is an error when the configuration is read") {
  const Scratch scratch;
  const auto plain = scratch.file("plain", "", 0644);
  CHECK(said("{script: [" + scratch.path() + "/none]}") ==
        "script " + scratch.path() +
            "/none: No such file or directory | correct the path, or install the program there");
  CHECK(said("{script: [" + scratch.path() + "]}") ==
        "script " + scratch.path() +
            " is not a regular file | correct the path, or install the program there");
  CHECK(said("{script: [" + plain + "], user: root}") ==
        "script " + plain + " is not executable by root | chmod +x " + plain);
  CHECK(said("{script: [/bin/true], user: no-such-user-here}") ==
        "there is no user \"no-such-user-here\" | name an existing user, or create this one");
  CHECK(said("{script: [/bin/true], result: weight}") == "result must be exit or priority, not \"weight\"");
}

TEST_CASE("script: a file that other users could replace is rejected") {
  const Scratch scratch;
  const auto open = scratch.file("open", "", 0777);
  CHECK(said("{script: [" + open + "], user: root}")
            .find("is not safe: " + open + " is writable by every user") != std::string::npos);
  const auto directory = scratch.path() + "/shared";
  std::filesystem::create_directory(directory);
  const auto inside = scratch.file("shared/check", "", 0755);
  ::chmod(directory.c_str(), 0777);
  CHECK(said("{script: [" + inside + "], user: root}")
            .find("is not safe: " + directory + " is writable by every user") != std::string::npos);
  ::chmod(directory.c_str(), 0755);
  const auto of_group = scratch.file("of-group", "", 0775);
  if (::geteuid() == 0 && ::chown(of_group.c_str(), 0, 1234) == 0)
    CHECK(said("{script: [" + of_group + "], user: root}") ==
          "script " + of_group + " is not safe: " + of_group + " is writable by its group | chmod g-w " +
              of_group + ": otherwise another user could replace the program that vipd runs");
  if (::geteuid() == 0 && ::chown(inside.c_str(), 1234, 0) == 0) {
    CHECK(said("{script: [" + inside + "], user: root}")
              .find("is not safe: " + inside + " is owned by 1234 | chown root " + inside) !=
          std::string::npos);
    REQUIRE(::chown(inside.c_str(), 0, 0) == 0);
  }
  // In a sticky directory such as /tmp, users cannot replace the files of others.
  ::chmod(directory.c_str(), 01777);
  CHECK(said("{script: [" + inside + "], user: root}") == "");
}

TEST_CASE("script: the directories that a link leads through are checked too") {
  const Scratch scratch;
  for (const auto* name : {"/open", "/good"}) std::filesystem::create_directory(scratch.path() + name);
  scratch.file("open/check", "", 0755);
  scratch.file("good/check", "", 0755);
  const auto open = scratch.path() + "/open";
  ::chmod(open.c_str(), 0777);
  const auto refused = "is not safe: " + open + " is writable by every user";
  const auto link = [&](const std::string& target, const std::string& name) {
    std::filesystem::create_symlink(target, scratch.path() + "/" + name);
    return said("{script: [" + scratch.path() + "/" + name + "], user: root}");
  };
  CHECK(link(open + "/check", "absolute").find(refused) != std::string::npos);
  CHECK(link("open/check", "relative").find(refused) != std::string::npos);
  CHECK(link("good/../open/check", "upwards").find(refused) != std::string::npos);
  CHECK(link("absolute", "of-a-link").find(refused) != std::string::npos);
  CHECK(link("good/check", "harmless") == "");
  CHECK(link("circle", "circle").find("Too many levels of symbolic links") != std::string::npos);
  std::filesystem::create_directory_symlink("open", scratch.path() + "/through");
  CHECK(said("{script: [" + scratch.path() + "/through/check], user: root}").find(refused) !=
        std::string::npos);
}

TEST_CASE("script: a program owned by the user nobody is not owned by root") {
  const Scratch scratch;
  const auto script = scratch.file("check", "", 0755);
  if (::geteuid() != 0 || ::chown(script.c_str(), 65534, 0) != 0) return;
  CHECK(said("{script: [" + script + "], user: root}").find(" is owned by nobody") != std::string::npos);
}

TEST_CASE("script: if its user does not exist, errors that apply to every user are still reported") {
  const Scratch scratch;
  const auto open = scratch.file("open", "", 0777);
  const auto reported = said("{script: [" + open + "], user: no-such-user-here}");
  CHECK(reported.find("there is no user") != std::string::npos);
  CHECK(reported.find(open + " is writable by every user") != std::string::npos);
  CHECK(said("{script: [" + scratch.file("mine", "", 0755) + "], user: no-such-user-here}") ==
        "there is no user \"no-such-user-here\" | name an existing user, or create this one");
}

TEST_CASE("every kind is found by its name") {
  CHECK(kind_names() == std::vector<std::string>{"http", "tcp", "script"});
  for (const auto& name : kind_names()) CHECK(find_kind(name)->name == name);
  CHECK(find_kind("smtp") == nullptr);
}
