// Several files, variables and the sections of nodes, as a user sees them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "conf/print.h"
#include "tests/checks/scratch.h"
#include "tests/conf/made_up.h"

using namespace vipd;
using namespace std::chrono_literals;

namespace {

const std::string edge = R"(
virtual_routers:
  edge:
    interface: eth0
    vrid: 51
    addresses: [192.0.2.10/24]
)";

struct World : tests::MadeUp {
  conf::Loaded load(const std::string& text) const {
    return conf::load_text("/etc/vipd/vipd.yaml", text, surroundings());
  }
  conf::Config good(const std::string& text) const {
    const auto loaded = load(text);
    INFO(loaded.diagnostics.render());
    REQUIRE(loaded.config);
    return *loaded.config;
  }
  // The diagnostics without the excerpts.
  std::string wrong(const std::string& text) const {
    std::string said;
    const auto loaded = load(text);
    for (const auto& each : loaded.diagnostics.all())
      said += fmt::format("{}:{}:{}: {} ({})\n", loaded.diagnostics.file(each.place.file), each.place.line,
                          each.place.column, each.message, each.remedy);
    return said;
  }
};

}  // namespace

// --- variables

TEST_CASE("a variable comes from vars, else from the environment, else from the default after :-") {
  World world;
  world.variables = {{"PRIORITY", "200"}, {"LINK", "eth9"}};
  const auto config = world.good(R"(
vars: {LINK: eth1, NET: "192.0.2", VIP: "${NET}.10/24"}
virtual_routers:
  edge: {interface: "${LINK}", vrid: 51, priority: "${PRIORITY}", addresses: ["${VIP}", "${NET}.11/24"],
         advertisement_interval: "${INTERVAL:-500ms}"}
)");
  const auto& router = config.virtual_routers.at(0);
  CHECK(router.interface == "eth1");
  CHECK(router.priority == 200);
  CHECK(router.addresses.size() == 2);
  CHECK(Duration(router.advertisement_interval) == 500ms);
}

TEST_CASE("${NODE} is the name of the node") {
  World world;
  CHECK(world.good("virtual_routers: {edge: {interface: \"${NODE}\", vrid: 1, addresses: [192.0.2.1/24]}}")
            .virtual_routers.at(0)
            .interface == "web-a");
}

TEST_CASE("a plain value may contain a variable without quotes") {
  World world;
  world.variables = {{"IF", "eth3"}};
  CHECK(world.good("virtual_routers: {edge: {vrid: 1, addresses: [192.0.2.1/24], interface: eth3}}") ==
        world.good(
            "virtual_routers:\n  edge:\n    vrid: 1\n    addresses: [192.0.2.1/24]\n    interface: ${IF}\n"));
}

TEST_CASE("the value of a variable is never parsed as YAML, and stays one value") {
  World world;
  world.variables = {{"EVIL", "192.0.2.10/24, 192.0.2.11/24]"}};
  CHECK(world.wrong("virtual_routers: {edge: {interface: eth0, vrid: 1, addresses: [\"${EVIL}\"]}}")
            .find("192.0.2.10/24, 192.0.2.11/24]") != std::string::npos);
}

TEST_CASE("$${ stands for a literal ${, also in the printed configuration") {
  World world;
  const auto config = world.good(edge + "    checks: {c: {script: [/bin/echo, \"$${HOME}\"]}}\n");
  const auto printed = conf::print(config);
  CHECK(printed.find("\"${HOME}\"") != std::string::npos);
  CHECK(*conf::load_printed("printed", printed).config == config);
}

TEST_CASE("a variable that does not exist is an error with its place, and the nearest name") {
  World world;
  CHECK(world.wrong("vars: {INTERFACE: eth0}\nvirtual_routers:\n  edge:\n    interface: ${INTRFACE}\n"
                    "    vrid: 1\n    addresses: [192.0.2.1/24]\n") ==
        "/etc/vipd/vipd.yaml:4:16: there is no variable INTRFACE (did you mean \"INTERFACE\"?)\n");
  const auto unknown = world.wrong(edge + "    priority: ${P}\n");
  CHECK(unknown.starts_with("/etc/vipd/vipd.yaml:7:15: there is no variable P ("));
  CHECK(unknown.find("${P:-text}") != std::string::npos);
}

TEST_CASE("an invalid variable is an error that shows the syntax") {
  World world;
  for (const std::string bad : {"${", "${}", "${a b}", "${1}", "${A", "${A:+b}"}) {
    CAPTURE(bad);
    CHECK(world.wrong(edge + "    priority: \"" + bad + "\"\n")
              .find(" is not a variable (write ${NAME} or ${NAME:-default}") != std::string::npos);
  }
}

TEST_CASE("vars are a map of names and single values") {
  World world;
  CHECK(world.wrong("vars: [a]" + edge).starts_with("/etc/vipd/vipd.yaml:1:7: vars must be a map"));
  CHECK(world.wrong("vars: {a-b: 1}" + edge)
            .starts_with("/etc/vipd/vipd.yaml:1:8: \"a-b\" is not a valid name"));
  CHECK(world.wrong("vars: {A: [1]}" + edge).starts_with("/etc/vipd/vipd.yaml:1:11: the variable A must be"));
  const auto node = world.wrong("vars: {NODE: x}" + edge);
  CHECK(node.starts_with("/etc/vipd/vipd.yaml:1:8: NODE is the name of the node"));
  CHECK(node.find("--node NAME") != std::string::npos);
}

TEST_CASE("variables cannot inflate a value") {
  World world;
  world.variables = {{"X", std::string(3000, 'x')}};
  CHECK(
      world.wrong(edge + "    priority: ${X}${X}\n")
          .starts_with("/etc/vipd/vipd.yaml:7:15: with its variables this value is longer than 4096 bytes"));
}

// --- nodes

TEST_CASE("one file serves all nodes: the section of a node overrides the rest") {
  World world;
  const auto text = edge + R"(    priority: 100
nodes:
  web-a: {vars: {WHO: a}, virtual_routers: {edge: {priority: 200}}}
  web-b: {virtual_routers: {edge: {addresses: [192.0.2.20/24]}}}
  web-c:
)";
  CHECK(world.good(text).virtual_routers.at(0).priority == 200);
  world.node = "web-b.example.com";
  CHECK(world.good(text).virtual_routers.at(0).priority == 100);
  CHECK(to_string(world.good(text).virtual_routers.at(0).addresses.at(0)) == "192.0.2.20/24");
  world.node = "web-c";
  CHECK(world.good(text) == world.good(edge + "    priority: 100\n"));
  CHECK(world.load(text).nodes == std::vector<std::string>{"web-a", "web-b", "web-c"});
}

TEST_CASE("a variable in the section of a node overrides the common one") {
  World world;
  const auto text =
      edge + "    priority: ${P}\nvars: {P: 100}\nnodes: {web-a: {vars: {P: 222}}, web-b: {}}\n";
  CHECK(world.good(text).virtual_routers.at(0).priority == 222);
  world.node = "web-b";
  CHECK(world.good(text).virtual_routers.at(0).priority == 100);
}

TEST_CASE("the error about a node without a section names the nodes that have one") {
  World world;
  world.node = "db";
  const auto said = world.wrong(edge + "nodes: {web-a: {}, web-b: {}}\n");
  CHECK(said.starts_with("/etc/vipd/vipd.yaml:7:8: "));
  for (const auto* fact : {"\"db\"", "web-a, web-b", "db: {}", "--node"})
    CHECK_MESSAGE(said.find(fact) != std::string::npos, fact);
}

TEST_CASE("a misspelt name in the section of a node is an error with the likely name") {
  World world;
  const auto misspelt = world.wrong(edge + "nodes: {web-a: {virtual_routers: {egde: {priority: 200}}}}\n");
  CHECK(misspelt.starts_with("/etc/vipd/vipd.yaml:7:35: virtual_routers has no entry \"egde\""));
  CHECK(misspelt.ends_with("(did you mean \"edge\"?)\n"));
  CHECK(world.wrong(edge + "nodes: {web-a: {virtual_routers: {other: {priority: 200}}}}\n")
            .ends_with("(use one of edge, or add \"interface:\" to it)\n"));
  const auto unknown =
      world.wrong(edge + "nodes: {web-a: {virtual_servers: {web: {checks: {a: {interval: 1s}}}}}}\n");
  CHECK(unknown.starts_with("/etc/vipd/vipd.yaml:7:35: virtual_servers has no entry \"web\""));
  CHECK(unknown.ends_with("(add \"router:\" to it)\n"));
  const auto whole = "{interface: eth1, vrid: 52, addresses: [198.51.100.10/24]}";
  CHECK(world.good(edge + "nodes: {web-a: {virtual_routers: {only: " + whole + "}}}\n")
            .virtual_routers.size() == 2);
}

TEST_CASE("nodes are a map of maps") {
  World world;
  CHECK(world.wrong(edge + "nodes: {web-a: {nodes: {web-b: {bogus: 1}}}}\n") ==
        "/etc/vipd/vipd.yaml:7:24: a node cannot contain nodes (write all nodes side by side)\n");
  CHECK(world.wrong(edge + "nodes: [web-a]\n").find(":7:8: nodes must be a map") != std::string::npos);
  CHECK(
      world.wrong(edge + "nodes: {web-a: 7}\n").find(":7:16: the section of node \"web-a\" must be a map") !=
      std::string::npos);
}

// --- files

TEST_CASE("conf.d/*.yaml beside the file belongs to it, in the order of the names") {
  World world;
  world.files = {{"/etc/vipd/conf.d/20.yaml",
                  "virtual_routers: {db: {interface: eth0, vrid: 2, addresses: [192.0.2.2/24]}}"},
                 {"/etc/vipd/conf.d/10.yaml",
                  "virtual_routers: {ab: {interface: eth0, vrid: 3, addresses: [192.0.2.3/24]}}"},
                 {"/etc/vipd/conf.d/30.txt", "nonsense: ["}};
  const auto config = world.good(edge);
  REQUIRE(config.virtual_routers.size() == 3);
  CHECK(config.virtual_routers[1].name == "ab");
  CHECK(config.virtual_routers[2].name == "db");
}

TEST_CASE("an error in another file has its place in that file") {
  World world;
  world.files = {{"/etc/vipd/conf.d/x.yaml", "# \nvirtual_routers:\n  edge: {priority: 300}\n"}};
  const auto said = world.load(edge).diagnostics.render();
  CHECK(said == R"(/etc/vipd/conf.d/x.yaml:3:20: error: priority must be 1 to 255, not 300
   3 |   edge: {priority: 300}
     |                    ^~~
)");
}

TEST_CASE("two files must not contradict each other") {
  World world;
  world.files = {{"/etc/vipd/conf.d/x.yaml", "virtual_routers:\n  edge:\n    vrid: 52\n"}};
  CHECK(world.wrong(edge) ==
        "/etc/vipd/conf.d/x.yaml:3:5: duplicate key \"vrid\", also in /etc/vipd/vipd.yaml:5 (remove one of "
        "them)\n");
  world.files = {{"/etc/vipd/conf.d/x.yaml", "[1]"}};
  const auto misfit = world.wrong(edge);
  CHECK(misfit.find("conf.d/x.yaml:1:1: this cannot be merged with /etc/vipd/vipd.yaml:2") !=
        std::string::npos);
  world.files = {{"/etc/vipd/conf.d/x.yaml",
                  "virtual_routers: {other: {interface: eth0, vrid: 51, addresses: [192.0.2.99/24]}}"}};
  CHECK(world.wrong(edge).find("VRID 51 on eth0 (IPv4) already belongs to virtual router edge "
                               "(/etc/vipd/vipd.yaml:5)") != std::string::npos);
}

TEST_CASE("!include inserts the content of files") {
  World world;
  world.files = {
      {"/etc/vipd/routers/a.yaml", "edge: {interface: eth0, vrid: 51, addresses: !include ../vips.yaml}"},
      {"/etc/vipd/routers/b.yaml", "two: {interface: eth0, vrid: 52, addresses: [192.0.2.2/24]}"},
      {"/etc/vipd/routers/../vips.yaml", "[192.0.2.10/24]"}};
  const auto config = world.good("virtual_routers: !include routers/*.yaml\n");
  REQUIRE(config.virtual_routers.size() == 2);
  CHECK(to_string(config.virtual_routers[0].addresses.at(0)) == "192.0.2.10/24");
  world.files["/etc/vipd/web-a.yaml"] = "edge: {interface: eth7, vrid: 51, addresses: [192.0.2.10/24]}";
  CHECK(world.good("virtual_routers: !include ${NODE}.yaml\n").virtual_routers.at(0).interface == "eth7");
}

TEST_CASE("a pattern may match no file: then its key counts as absent") {
  World world;
  const auto config = world.good(edge + "virtual_servers: !include servers/*.yaml\nvars: !include x*.yaml\n");
  CHECK(config.virtual_routers.size() == 1);
  CHECK(config.virtual_servers.empty());
}

TEST_CASE("an include that fails is an error at its place") {
  World world;
  CHECK(world.wrong("virtual_routers: !include none.yaml\n")
            .starts_with(
                "/etc/vipd/vipd.yaml:1:18: cannot read /etc/vipd/none.yaml: No such file or directory ("));
  world.files = {{"/etc/vipd/a.yaml", "x: !include b.yaml"}, {"/etc/vipd/b.yaml", "y: !include a.yaml"}};
  CHECK(world.wrong("virtual_routers: !include a.yaml\n")
            .find("/etc/vipd/b.yaml:1:4: /etc/vipd/a.yaml includes itself") != std::string::npos);
  world.files.clear();
  for (int i = 0; i < 12; ++i)
    world.files["/etc/vipd/" + std::to_string(i)] = "x: !include " + std::to_string(i + 1);
  CHECK(world.wrong("virtual_routers: !include 0\n").find("nested more than 8 deep") != std::string::npos);
  std::string list;
  for (int i = 0; i < 300; ++i) list += "- !include 12\n";
  world.files["/etc/vipd/12"] = "x";
  CHECK(world.wrong(list).find("more than 256 files") != std::string::npos);
  CHECK(world.wrong("!include a: b\n").find("(write \"key: !include FILE\")") != std::string::npos);
  CHECK(world.wrong("a: !include\n").find("\"!include\" without a file (write \"!include FILE\")") !=
        std::string::npos);
}

TEST_CASE("files on the disk: conf.d, and a file that every user can write to") {
  const testing::Scratch scratch;
  const auto main = scratch.file("vipd.yaml", edge);
  CHECK(conf::load_file(main, conf::surroundings_of_this_process()).value().config);
  const auto vips = scratch.file("addresses", "[192.0.2.10/24]");
  const auto other = scratch.file(
      "other.yaml", "virtual_routers: {edge: {interface: eth0, vrid: 1, addresses: !include addr*}}");
  CHECK(conf::load_file(other, conf::surroundings_of_this_process()).value().config);
  std::filesystem::permissions(vips, std::filesystem::perms::all);
  CHECK(conf::load_file(other, conf::surroundings_of_this_process())
            .value()
            .diagnostics.render()
            .find(conf::writable_by_all) != std::string::npos);
}
