// Several files, variables and the sections of nodes, as a user meets them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "conf/print.h"
#include "tests/conf/made_up.h"
#include "tests/health/scratch.h"

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
  // What is wrong, without the excerpts.
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

TEST_CASE("a variable is what vars says, else what the environment says, else what stands behind :-") {
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

TEST_CASE("a plain value may hold a variable without quotes") {
  World world;
  world.variables = {{"IF", "eth3"}};
  CHECK(world.good("virtual_routers: {edge: {vrid: 1, addresses: [192.0.2.1/24], interface: eth3}}") ==
        world.good(
            "virtual_routers:\n  edge:\n    vrid: 1\n    addresses: [192.0.2.1/24]\n    interface: ${IF}\n"));
}

TEST_CASE("what a variable holds is never read as YAML, and stays one value") {
  World world;
  world.variables = {{"EVIL", "192.0.2.10/24, 192.0.2.11/24]"}};
  CHECK(world.wrong("virtual_routers: {edge: {interface: eth0, vrid: 1, addresses: [\"${EVIL}\"]}}")
            .find("192.0.2.10/24, 192.0.2.11/24]") != std::string::npos);
}

TEST_CASE("$${ stands for ${ itself, in what is printed too") {
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
  CHECK(world.wrong(edge + "    priority: ${P}\n")
            .starts_with("/etc/vipd/vipd.yaml:7:15: there is no variable P (set it below \"vars:\" or in the "
                         "environment, or say what it is without: ${P:-text})\n"));
}

TEST_CASE("what is no variable is an error that says how one is written") {
  World world;
  for (const std::string bad : {"${", "${}", "${a b}", "${1}", "${A", "${A:+b}"}) {
    CAPTURE(bad);
    CHECK(
        world.wrong(edge + "    priority: \"" + bad + "\"\n")
            .find(" is no variable (write ${NAME} or ${NAME:-default}; \"$${\" stands for \"${\" itself)") !=
        std::string::npos);
  }
}

TEST_CASE("vars are a map of names and single values") {
  World world;
  CHECK(world.wrong("vars: [a]" + edge)
            .starts_with("/etc/vipd/vipd.yaml:1:7: vars must be a map of names and values (write \"NAME: "
                         "value\" below it)"));
  CHECK(world.wrong("vars: {a-b: 1}" + edge)
            .find("\"a-b\" is no name for a variable (a name has letters, digits and \"_\", and does not "
                  "begin with a digit)") != std::string::npos);
  CHECK(world.wrong("vars: {A: [1]}" + edge)
            .find("the variable A must be a single value (a text that is empty is \"\")") !=
        std::string::npos);
  CHECK(world.wrong("vars: {NODE: x}" + edge)
            .find("NODE is the name of the node, and cannot be set here (use another name; --node NAME sets "
                  "it)") != std::string::npos);
}

TEST_CASE("variables cannot blow a value up") {
  World world;
  world.variables = {{"X", std::string(3000, 'x')}};
  CHECK(world.wrong(edge + "    priority: ${X}${X}\n")
            .find("with its variables this has more than 4096 bytes") != std::string::npos);
}

// --- nodes

TEST_CASE("one file serves all nodes: what the section of a node says wins") {
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

TEST_CASE("a variable of a node's section wins over the one for all") {
  World world;
  const auto text =
      edge + "    priority: ${P}\nvars: {P: 100}\nnodes: {web-a: {vars: {P: 222}}, web-b: {}}\n";
  CHECK(world.good(text).virtual_routers.at(0).priority == 222);
  world.node = "web-b";
  CHECK(world.good(text).virtual_routers.at(0).priority == 100);
}

TEST_CASE("a node without a section is an error that names those that have one") {
  World world;
  world.node = "db";
  CHECK(world.wrong(edge + "nodes: {web-a: {}, web-b: {}}\n") ==
        "/etc/vipd/vipd.yaml:7:8: this node is called \"db\", and there is no section for it, only for "
        "web-a, web-b "
        "(add one, perhaps empty (db: {}), or say with --node which one is meant)\n");
}

TEST_CASE("the section of a node that misspells a name says whose it may have meant") {
  World world;
  CHECK(world.wrong(edge + "nodes: {web-a: {virtual_routers: {egde: {priority: 200}}}}\n") ==
        "/etc/vipd/vipd.yaml:7:35: there is no \"egde\" in virtual_routers for a node to change, and here it "
        "has no interface (did you mean \"edge\"?)\n");
  CHECK(world.wrong(edge + "nodes: {web-a: {virtual_routers: {other: {priority: 200}}}}\n")
            .find("(it may be one of edge)") != std::string::npos);
  CHECK(world.wrong(edge + "nodes: {web-a: {virtual_servers: {web: {checks: {a: {interval: 1s}}}}}}\n") ==
        "/etc/vipd/vipd.yaml:7:35: there is no \"web\" in virtual_servers for a node to change, and here it "
        "has no "
        "router (add \"router:\" to it)\n");
  const auto whole = "{interface: eth1, vrid: 52, addresses: [198.51.100.10/24]}";
  CHECK(world.good(edge + "nodes: {web-a: {virtual_routers: {only: " + whole + "}}}\n")
            .virtual_routers.size() == 2);
}

TEST_CASE("nodes are a map of maps") {
  World world;
  CHECK(world.wrong(edge + "nodes: {web-a: {nodes: {web-b: {bogus: 1}}}}\n") ==
        "/etc/vipd/vipd.yaml:7:24: nodes cannot stand within a node (write all nodes side by side)\n");
  CHECK(world.wrong(edge + "nodes: [web-a]\n")
            .find("nodes must be a map of names (write the name of each node below it, and below that what "
                  "is different there)") != std::string::npos);
  CHECK(world.wrong(edge + "nodes: {web-a: 7}\n")
            .find("the section of node \"web-a\" must be a map (write the same keys as at the top, with what "
                  "is different there)") != std::string::npos);
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

TEST_CASE("a mistake in another file has that file's place") {
  World world;
  world.files = {{"/etc/vipd/conf.d/x.yaml", "# \nvirtual_routers:\n  edge: {priority: 300}\n"}};
  const auto said = world.load(edge).diagnostics.render();
  CHECK(said == R"(/etc/vipd/conf.d/x.yaml:3:20: error: priority is 300, it must be 1 to 255
   3 |   edge: {priority: 300}
     |                    ^~~
)");
}

TEST_CASE("two files must not contradict each other") {
  World world;
  world.files = {{"/etc/vipd/conf.d/x.yaml", "virtual_routers:\n  edge:\n    vrid: 52\n"}};
  CHECK(world.wrong(edge) ==
        "/etc/vipd/conf.d/x.yaml:3:5: the key \"vrid\" is here and in /etc/vipd/vipd.yaml:5 (remove one of "
        "them)\n");
  world.files = {{"/etc/vipd/conf.d/x.yaml", "[1]"}};
  const auto misfit = world.wrong(edge);
  CHECK(misfit.find("this does not fit what stands in /etc/vipd/vipd.yaml:2") != std::string::npos);
  CHECK(misfit.find("(both must be maps, or both lists)") != std::string::npos);
  world.files = {{"/etc/vipd/conf.d/x.yaml",
                  "virtual_routers: {other: {interface: eth0, vrid: 51, addresses: [192.0.2.99/24]}}"}};
  CHECK(world.wrong(edge).find("VRID 51 on eth0 (IPv4) belongs to virtual router edge already, in "
                               "/etc/vipd/vipd.yaml:5") != std::string::npos);
}

TEST_CASE("!include puts what files say in its place") {
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

TEST_CASE("a pattern may stand for no file at all: then it is as if its key were not there") {
  World world;
  const auto config = world.good(edge + "virtual_servers: !include servers/*.yaml\nvars: !include x*.yaml\n");
  CHECK(config.virtual_routers.size() == 1);
  CHECK(config.virtual_servers.empty());
}

TEST_CASE("what cannot be included is an error where it is asked for") {
  World world;
  CHECK(world.wrong("virtual_routers: !include none.yaml\n")
            .starts_with(
                "/etc/vipd/vipd.yaml:1:18: reading /etc/vipd/none.yaml: No such file or directory (a path is "
                "relative to the file that it stands in)\n"));
  world.files = {{"/etc/vipd/a.yaml", "x: !include b.yaml"}, {"/etc/vipd/b.yaml", "y: !include a.yaml"}};
  CHECK(world.wrong("virtual_routers: !include a.yaml\n")
            .find("/etc/vipd/b.yaml:1:4: /etc/vipd/a.yaml includes itself") != std::string::npos);
  world.files.clear();
  for (int i = 0; i < 12; ++i)
    world.files["/etc/vipd/" + std::to_string(i)] = "x: !include " + std::to_string(i + 1);
  CHECK(world.wrong("virtual_routers: !include 0\n").find("more than 8 files include each other") !=
        std::string::npos);
  std::string list;
  for (int i = 0; i < 300; ++i) list += "- !include 12\n";
  world.files["/etc/vipd/12"] = "x";
  CHECK(world.wrong(list).find("more than 256 files") != std::string::npos);
  CHECK(world.wrong("!include a: b\n").find("a key cannot be included (write \"key: !include FILE\")") !=
        std::string::npos);
  CHECK(world.wrong("a: !include\n").find("\"!include\" without a file (write \"!include FILE\")") !=
        std::string::npos);
}

TEST_CASE("files on the disk: conf.d, and one that everybody may write") {
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
            .find("everybody may write this file, and with it what runs on this node") != std::string::npos);
}
