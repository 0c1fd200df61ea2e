// The configuration as a user sees it: files in, diagnostics or the canonical form out.
//
// Each tests/conf/*.yaml has its complete outcome beside it: NAME.ok has the warnings and the output of
// conf::print, NAME.err the output of `vipctl check`. VIPD_REWRITE=1 rewrites them; read the diff.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "conf/build.h"
#include "conf/load.h"
#include "conf/print.h"
#include "conf/yaml.h"
#include "conf/yaml_writer.h"
#include "tests/checks/scratch.h"
#include "tests/conf/made_up.h"

using namespace vipd;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> yaml_files(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(SOURCE_DIR) / folder))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// The content of NAME.ok or NAME.err.
std::string outcome(const conf::Loaded& loaded) {
  return loaded.diagnostics.render() + (loaded.config ? conf::print(*loaded.config) : "");
}

conf::Config load_good(const std::string& text) {
  auto loaded = tests::load("text", text);
  INFO(loaded.diagnostics.render());
  REQUIRE(loaded.config);
  return *loaded.config;
}

std::string diagnostics_of(const std::string& text) {
  return tests::load("f", text).diagnostics.render();
}

}  // namespace

TEST_CASE("every file has the outcome in the file beside it") {
  const bool rewrite = std::getenv("VIPD_REWRITE") != nullptr;
  const auto files = yaml_files("tests/conf");
  CHECK(files.size() >= 40);
  for (const auto& path : files) {
    CAPTURE(path.filename().string());
    const auto loaded = tests::load(path.filename().string(), read_text(path));
    auto expected = path;
    auto unexpected = path;
    expected.replace_extension(loaded.config ? ".ok" : ".err");
    unexpected.replace_extension(loaded.config ? ".err" : ".ok");
    if (rewrite) {
      fs::remove(unexpected);
      std::ofstream(expected, std::ios::binary) << outcome(loaded);
    }
    CHECK_FALSE(fs::exists(unexpected));
    CHECK(outcome(loaded) == read_text(expected));
  }
}

TEST_CASE("every outcome belongs to a file") {
  for (const auto& entry : fs::directory_iterator(fs::path(SOURCE_DIR) / "tests/conf")) {
    auto path = entry.path();
    if (path.extension() != ".ok" && path.extension() != ".err") continue;
    CAPTURE(path.filename().string());
    CHECK(fs::exists(path.replace_extension(".yaml")));
  }
}

TEST_CASE("every example loads without diagnostics, and prints as an equal configuration") {
  const auto files = yaml_files("conf/examples");
  CHECK(files.size() >= 7);
  for (const auto& path : files) {
    CAPTURE(path.filename().string());
    const auto loaded = tests::load(path.filename().string(), read_text(path));
    CHECK(loaded.diagnostics.render() == "");
    REQUIRE(loaded.config);
    CHECK(load_good(conf::print(*loaded.config)) == *loaded.config);
  }
}

TEST_CASE("the two nodes of an example differ only in their priorities") {
  const auto load = [](const std::string& name) {
    return load_good(read_text(fs::path(SOURCE_DIR) / "conf/examples" / name));
  };
  for (const std::string pair : {"pair-node-", "crosswise-"}) {
    auto node_a = load(pair + "a.yaml");
    auto node_b = load(pair + "b.yaml");
    CHECK_FALSE(node_a == node_b);
    for (auto* config : {&node_a, &node_b})
      for (auto& router : config->virtual_routers) router.priority = 1;
    CHECK(node_a == node_b);
  }
}

TEST_CASE(
    "every valid file in tests/conf prints as an equal configuration, and printing again changes nothing") {
  int good = 0;
  for (const auto& path : yaml_files("tests/conf")) {
    CAPTURE(path.filename().string());
    const auto loaded = tests::load("f", read_text(path));
    if (!loaded.config) continue;
    ++good;
    const auto again = load_good(conf::print(*loaded.config));
    CHECK(again == *loaded.config);
    CHECK(conf::print(again) == conf::print(*loaded.config));
  }
  CHECK(good >= 5);
}

// --- made-up configurations

namespace {

// Invents valid configurations with ugly but legal strings.
class Inventor {
 public:
  explicit Inventor(unsigned seed) : random_(seed) {}

  conf::Config config() {
    conf::Config config;
    const auto routers = number(1, 4);
    for (int i = 0; i < routers; ++i) config.virtual_routers.push_back(router(i));
    const auto servers = number(0, 3);
    for (int i = 0; i < servers; ++i) config.virtual_servers.push_back(server(i, config));
    return config;
  }

 private:
  int number(int least, int most) { return std::uniform_int_distribution(least, most)(random_); }
  bool coin() { return number(0, 1) == 1; }
  template <class T>
  T pick(std::initializer_list<T> choices) {
    return *(choices.begin() + number(0, static_cast<int>(choices.size()) - 1));
  }

  conf::RouterEntry router(int index) {
    conf::RouterEntry router;
    router.name = pick<std::string>({"edge", "null", "on", "7", "-", "_x", "true"}) + std::to_string(index);
    router.interface = pick<std::string>({"eth0", "null", "~", "1e3", "br-lan", "eth0.100", "#x", "a'b", "\"",
                                          "*", "&a", "-", "!x", "{", "]", "%"});
    router.vrid = static_cast<vrrp::Vrid>(10 * (index + 1) + number(0, 9));
    router.priority = static_cast<vrrp::Priority>(number(1, 255));
    router.advertisement_interval = Centiseconds{number(1, 4095)};
    router.max_adopted_interval =
        coin()
            ? vrrp::default_max_adopted_interval(router.advertisement_interval)
            : Duration{Centiseconds{number(static_cast<int>(router.advertisement_interval.count()), 4095)}};
    router.preempt_mode = coin();
    router.checksum =
        pick({vrrp::ChecksumMode::automatic, vrrp::ChecksumMode::rfc9568, vrrp::ChecksumMode::pseudo_header});
    router.link_local = pick({conf::LinkLocal::none, conf::LinkLocal::derive});
    router.dead_man = coin() ? Duration::zero() : Duration{std::chrono::seconds(number(2, 3600))};
    router.announce.repeat = number(1, 20);
    router.announce.refresh =
        coin() ? Duration::zero() : Duration{std::chrono::milliseconds(number(1000, 86'400'000))};
    router.announce.pace = coin() ? Duration::zero() : Duration{std::chrono::milliseconds(number(1, 1000))};
    const auto addresses = number(1, 5);
    for (int i = 0; i < addresses; ++i) {
      const auto text = coin() ? "192.0.2." + std::to_string(index * 40 + i + 1) + "/24"
                               : "2001:db8:" + std::to_string(index) + "::" + std::to_string(i + 1) + "/64";
      router.addresses.push_back(Prefix::parse(text).value());
    }
    router.checks = checks(router.name);
    return router;
  }

  conf::ServerEntry server(int index, const conf::Config& config) {
    conf::ServerEntry server;
    const auto last = static_cast<int>(config.virtual_routers.size()) - 1;
    const auto& router = config.virtual_routers[static_cast<std::size_t>(number(0, last))];
    server.name = "server" + std::to_string(index);
    server.router = router.name;
    const auto count = number(1, 3);
    for (int i = 0; i < count; ++i)
      server.listen.push_back(
          {router.addresses[0].address, static_cast<std::uint16_t>(1000 * index + 1 + i)});
    server.checks = checks(server.name);
    return server;
  }

  std::vector<checks::CheckConfig> checks(const std::string& owner) {
    std::vector<checks::CheckConfig> checks;
    const auto count = number(0, 3);
    for (int i = 0; i < count; ++i) {
      checks::CheckConfig check;
      check.name = owner + "/check" + std::to_string(i);
      check.interval = std::chrono::milliseconds(number(10, 5000));
      check.timeout = std::chrono::milliseconds(number(10, 5000));
      check.fall = number(1, 9);
      check.rise = number(1, 9);
      check.on_failure = coin() ? checks::OnFailure{0, true} : checks::OnFailure{number(-254, -1), false};
      const auto ugly = pick<std::string>({"PING\r\n", "a: b # c", "\t\"quoted\" \\ back", "[x]",
                                           "caf\xc3\xa9", " lead", "!no", std::string(200, 'x')});
      check.kind = coin() ? "tcp" : "http";
      if (check.kind == "tcp")
        check.settings = Node::map(
            {{"tcp", Node::text("[::1]:80")}, {"send", Node::text(ugly)}, {"expect", Node::text("x")}});
      else
        check.settings = Node::map(
            {{"http", Node::text("http://127.0.0.1/a?b=c&d=%20")},
             {"expect", Node::map({{"status", Node::list({Node::text("200"), Node::text("300-399")})},
                                   {"body", Node::text(ugly)}})}});
      checks.push_back(std::move(check));
    }
    return checks;
  }

  std::mt19937 random_;
};

}  // namespace

TEST_CASE("a printed configuration loads as an equal one") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    const auto config = Inventor(seed).config();
    const auto text = conf::print(config);
    CAPTURE(text);
    REQUIRE(load_good(text) == config);
  }
}

TEST_CASE("any text written as YAML is read back, both as a key and as a value") {
  std::mt19937 random(7);
  const std::string letters = "abAB01 :#-?!&*{}[],|>'\"%@`~\\/=\n\r\t.<\x01\x7f_";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto length = random() % 8; length-- > 0;) text += letters[random() % letters.size()];
    if (text == "<<") continue;
    const auto document =
        Node::map({{text, Node::list({Node::text(text), Node::map({{text, Node::text(text)}})})}});
    const auto yaml = conf::yaml_map(document, 2);
    CAPTURE(yaml);
    Diagnostics diagnostics("f", yaml);
    const auto again = conf::read_yaml(yaml, diagnostics);
    INFO(diagnostics.render());
    REQUIRE(again);
    REQUIRE(*again == document);
  }
}

// --- broken input

TEST_CASE("a damaged file either loads or is rejected with a place") {
  std::mt19937 random(42);
  std::vector<std::string> texts;
  for (const auto& path : yaml_files("conf/examples")) texts.push_back(read_text(path));
  const std::string pieces[] = {"\t",
                                ":",
                                ": ",
                                "- ",
                                "{",
                                "}",
                                "[",
                                "]",
                                "\"",
                                "'",
                                "&a ",
                                "*a",
                                "<<: ",
                                "\n",
                                "\r",
                                "\r\n",
                                "#",
                                "%",
                                "!",
                                "!!str ",
                                "|",
                                ">",
                                "? ",
                                "---\n",
                                "...\n",
                                std::string(1, '\0'),
                                "\xff",
                                "\xc3",
                                "\xef\xbb\xbf",
                                "\x1b",
                                "~",
                                "@",
                                "`",
                                ","};
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    auto text = texts[random() % texts.size()];
    for (auto edits = 1 + random() % 4; edits-- > 0;) {
      const auto where = random() % text.size();
      switch (random() % 5) {
        case 0: text.insert(where, pieces[random() % std::size(pieces)]); break;
        case 1: text.erase(where, 1 + random() % 20); break;
        case 2: text[where] = static_cast<char>(random()); break;
        case 3: text.insert(where, text.substr(random() % text.size(), random() % 100)); break;
        case 4: text.resize(where); break;
      }
      if (text.empty()) text = "x";
    }
    const auto loaded = tests::load("f", text);
    if (loaded.config) continue;
    ++refused;
    CAPTURE(text);
    REQUIRE(loaded.diagnostics.has_errors());
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    for (const auto& each : loaded.diagnostics.all()) {
      CAPTURE(each.message);
      REQUIRE(each.place.line >= 1);
      REQUIRE(each.place.line <= lines);
      REQUIRE(each.place.column >= 1);
      REQUIRE_FALSE(each.message.empty());
    }
    const auto said = loaded.diagnostics.render();
    REQUIRE(
        std::all_of(said.begin(), said.end(), [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); }));
  }
  CHECK(refused > 1000);
}

TEST_CASE("random bytes are rejected with a place") {
  std::mt19937 random(43);
  const std::string letters = "ab:-?{}[],&*!|>'\"%@`# \n  ";
  for (int round = 0; round < 4000; ++round) {
    std::string text;
    const bool printable = round % 4 != 0;
    for (auto length = random() % 200; length-- > 0;)
      text += printable ? letters[random() % letters.size()] : static_cast<char>(random());
    const auto loaded = tests::load("f", text);
    CAPTURE(text);
    REQUIRE_FALSE(loaded.config);
    REQUIRE(loaded.diagnostics.has_errors());
    REQUIRE(loaded.diagnostics.all().front().place.line >= 1);
  }
}

TEST_CASE("aliases cannot inflate a small file") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int j = 1; j < 10; ++j) text += ", " + before;
    text += "]\n";
  }
  const auto said = diagnostics_of(text);
  CHECK(said.starts_with("f:5:"));
  CHECK(said.find("200000") != std::string::npos);
}

TEST_CASE("a file that is too deep, too long or too large is rejected at once, with the limit") {
  const auto is_rejected = [](const std::string& text, const std::string& place, const std::string& limit) {
    const auto said = diagnostics_of(text);
    return said.starts_with(place + ": error: ") && said.find(limit) != std::string::npos;
  };
  CHECK(is_rejected(std::string(100'000, '['), "f:1:1", "32768"));
  CHECK(is_rejected("a: " + std::string(10'000, '[') + std::string(10'000, ']'), "f:1:19", "16"));
  CHECK(diagnostics_of(std::string(10'000, '{')).starts_with("f:1:"));
  std::string deep;
  for (std::size_t i = 0; i < 200; ++i) deep += std::string(i, ' ') + "a:\n";
  CHECK(is_rejected(deep, "f:17:17", "16"));
  CHECK(is_rejected("a: " + std::string(5000, 'x'), "f:1:4", "4096"));
  CHECK(is_rejected("? " + std::string(2000, 'x') + "\n: a", "f:1:3", "1024"));
  CHECK(is_rejected(std::string(conf::largest_text + 1, '\n'), "f:1:1", "1048576"));
}

TEST_CASE("the order of keys, comments, quotes, flow or block form and line breaks make no difference") {
  const auto block = load_good(
      "virtual_routers:\n  a:\n    interface: eth0\n    vrid: 1\n    addresses:\n      - 192.0.2.1/24\n");
  CHECK(block == load_good("{\"virtual_routers\": {\"a\": {\"vrid\": 1, \"addresses\": [\"192.0.2.1/24\"], "
                           "\"interface\": \"eth0\"}}}"));
  CHECK(block == load_good("virtual_routers:\r\n  a:\r\n    interface: eth0 # here\r\n    vrid: 1\r\n"
                           "    addresses: 192.0.2.1/24\r\n"));
  CHECK(block == load_good("\xef\xbb\xbf%YAML 1.2\n---\nvirtual_routers:\n"
                           "  a: {interface: 'eth0', vrid: 1, addresses: [192.0.2.1/24]}\n...\n"));
}

// --- files

TEST_CASE("the error about a file that cannot be read names the file and the reason") {
  const auto error_of = [](const std::string& path) {
    return conf::load_file(path, conf::surroundings_of_this_process()).error();
  };
  CHECK(error_of("/nonexistent/vipd.yaml").message ==
        "cannot read /nonexistent/vipd.yaml: No such file or directory");
  CHECK(error_of("/").code == EISDIR);
  CHECK(error_of("/dev/zero").message == "cannot read /dev/zero: it is not a regular file");
  const testing::Scratch scratch;
  const auto large = scratch.file("vipd.yaml", std::string(conf::largest_text + 1, '#'));
  CHECK(error_of(large).message.starts_with("cannot read " + large + ": "));
  CHECK(error_of(large).message.find("1 MiB") != std::string::npos);
}

// --- the values for the other programs

TEST_CASE("an entry with both families becomes two virtual routers that share everything else") {
  const auto config = load_good(R"(
virtual_routers:
  edge:
    interface: eth0
    vrid: 51
    priority: 250
    advertisement_interval: 250ms
    preempt_mode: false
    checksum: rfc9568
    addresses: [2001:db8::10/64, 192.0.2.10/24, 2001:db8::11/64]
    link_local: derive
    dead_man: off
    announce: {repeat: 2, refresh: off}
    checks:
      port: {tcp: "127.0.0.1:80", on_failure: {priority: -10}}
virtual_servers:
  web:
    router: edge
    listen: [192.0.2.10:80]
    checks:
      nginx: {http: "http://127.0.0.1/", on_failure: initialize}
)");
  const auto routers = conf::virtual_routers(config);
  REQUIRE(routers.size() == 2);
  for (const auto& router : routers) {
    CHECK(router.name == "edge");
    CHECK(router.priority == 250);
    CHECK(router.advertisement_interval == Centiseconds{25});
    CHECK_FALSE(router.preempt_mode);
    CHECK(router.checksum == vrrp::ChecksumMode::rfc9568);
    CHECK(router.dead_man == Duration::zero());
    CHECK(router.announce == vrrp::Announcing{2, Duration::zero()});
    CHECK(router.checks ==
          std::vector<vrrp::TrackedCheck>{{"edge/port", -10, false}, {"web/nginx", 0, true}});
  }
  CHECK(routers[0].key == vrrp::RouterKey{"eth0", 51, Family::ipv4});
  CHECK(routers[0].addresses == std::vector{Prefix::parse("192.0.2.10/24").value()});
  CHECK(routers[1].key == vrrp::RouterKey{"eth0", 51, Family::ipv6});
  CHECK(routers[1].addresses == std::vector{Prefix::parse("fe80::200:5eff:fe00:233/64").value(),
                                            Prefix::parse("2001:db8::10/64").value(),
                                            Prefix::parse("2001:db8::11/64").value()});
  const auto checks = conf::checks(config);
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].name == "edge/port");
  CHECK(checks[1].name == "web/nginx");
}

TEST_CASE(
    "an entry with one family becomes one virtual router, without a second link-local address if one is "
    "listed") {
  const auto config = load_good(
      "virtual_routers:\n"
      "  a: {interface: e, vrid: 1, link_local: derive, addresses: ['fe80::1/64', '2001:db8::1/64']}\n");
  const auto routers = conf::virtual_routers(config);
  REQUIRE(routers.size() == 1);
  CHECK(routers[0].addresses.size() == 2);
}

TEST_CASE("a file with a secret that every user can read causes a warning with a remedy") {
  const testing::Scratch scratch;
  const auto path = scratch.path() + "/secret";
  std::ofstream(path) << "x";
  const auto with_mode = [&](fs::perms mode) {
    fs::permissions(path, mode);
    return diagnostics_of(
        "virtual_routers: {edge: {interface: eth0, vrid: 51, addresses: [192.0.2.10/24]}}\n"
        "hooks: {webhook: {url: \"https://192.0.2.7/x\", secret_file: " +
        path + "}}\n");
  };
  CHECK(with_mode(static_cast<fs::perms>(0640)).empty());
  const auto warned = with_mode(static_cast<fs::perms>(0644));
  CHECK(warned.find(": warning: ") != std::string::npos);
  CHECK(warned.find("chmod o-rwx " + path) != std::string::npos);
}
