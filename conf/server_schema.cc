#include "conf/server_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/words.h"
#include "conf/address_rules.h"
#include "conf/words.h"

namespace vipd::conf {

namespace {

class ServerSchema {
 public:
  ServerSchema(const RouterSection& routers, Diagnostics& diagnostics, CheckSchema& checks)
      : routers_(routers), diagnostics_(diagnostics), checks_(checks) {}

  std::vector<ServerEntry> read(const Node& node) {
    std::vector<ServerEntry> servers;
    for_entries(node, diagnostics_, "virtual_servers", "virtual server",
                [&](const std::string& name, Place, const Node& value) {
                  servers.push_back(read_server(name, value));
                });
    return servers;
  }

 private:
  ServerEntry read_server(const std::string& name, const Node& node) {
    Reader reader(node, diagnostics_, "virtual server " + name);
    ServerEntry server;
    server.name = name;
    const RouterEntry* const router = read_router_of(reader, server);
    if (!reader.has("addresses")) reader.required("listen");
    if (const Node* const listen = reader.child("listen")) read_listen(*listen, router, server);
    read_forward(reader);
    refuse_server_words(reader);
    server.checks = checks_.read(reader, name, router ? router->priority : vrrp::default_priority);
    reader.finish();
    return server;
  }

  // The virtual router that the server names, if it exists and is complete enough to compare with.
  const RouterEntry* read_router_of(Reader& reader, ServerEntry& server) {
    if (!reader.has("virtual_router")) reader.required("router");
    const auto name = reader.text("router");
    if (!name) return nullptr;
    server.router = *name;
    for (const auto& router : routers_.routers)
      if (router.name == *name) return &router;
    if (std::find(routers_.names.begin(), routers_.names.end(), *name) != routers_.names.end())
      return nullptr;
    if (routers_.names.empty()) return nullptr;  // this has been reported
    auto remedy = did_you_mean(*name, routers_.names);
    if (remedy.empty()) remedy = "known virtual routers: " + listed(quoted(routers_.names), 5);
    reader.error("router", "there is no virtual router " + quote(*name), remedy);
    return nullptr;
  }

  static std::vector<std::string> quoted(const std::vector<std::string>& words) {
    std::vector<std::string> quoted;
    for (const auto& word : words) quoted.push_back(quote(word));
    return quoted;
  }

  void read_listen(const Node& node, const RouterEntry* router, ServerEntry& server) {
    if (node.type == Node::Type::scalar) {
      read_listener(node, router, server);
    } else if (node.type == Node::Type::sequence && !node.items.empty()) {
      for (const auto& item : node.items) read_listener(item, router, server);
    } else {
      diagnostics_.error(node.place, "listen must be a list of at least one \"ADDRESS:PORT\"",
                         "write listen: [192.0.2.10:80], with an address of the virtual router");
    }
  }

  void read_listener(const Node& node, const RouterEntry* router, ServerEntry& server) {
    if (node.type != Node::Type::scalar) {
      diagnostics_.error(node.place, "each item of listen must be a single value",
                         "write 192.0.2.10:80 or, in quotes, \"[2001:db8::10]:80\"");
      return;
    }
    const auto listener = parse_listener(node.scalar);
    if (!listener) {
      diagnostics_.error(node.place, quote(node.scalar) + " is not an address with a port",
                         listener.error().message);
      return;
    }
    if (router && !routers_.with_bad_addresses.contains(router->name))
      check_listener(*listener, *router, node.place);
    const auto [first, is_new] = listeners_.try_emplace(*listener, Claim{server.name, node.place});
    if (is_new)
      server.listen.push_back(*listener);
    else
      diagnostics_.error(
          node.place,
          fmt::format("{} already belongs to virtual server {} ({})", to_string(*listener),
                      first->second.owner, diagnostics_.where(first->second.place, node.place)),
          "remove one of them");
  }

  void check_listener(const Listener& listener, const RouterEntry& router, Place place) {
    std::vector<std::string> addresses;
    for (const auto& each : router.addresses) {
      if (each.address == listener.address) return;
      addresses.push_back(to_string(each.address));
    }
    std::string remedy = "its addresses: " + listed(addresses, 5);
    for (const auto& other : routers_.routers)
      for (const auto& each : other.addresses)
        if (each.address == listener.address)
          remedy += "; this address belongs to virtual router " + other.name;
    diagnostics_.error(
        place,
        fmt::format("{} is not an address of virtual router {}", to_string(listener.address), router.name),
        remedy);
  }

  void read_forward(Reader& reader) {
    enum class Forward : std::uint8_t { local, nat, direct, tunnel };
    static constexpr std::array<Reader::Choice<Forward>, 4> choices{{{"local", Forward::local},
                                                                     {"nat", Forward::nat},
                                                                     {"direct", Forward::direct},
                                                                     {"tunnel", Forward::tunnel}}};
    const auto forward = reader.choice<Forward>("forward", choices).value_or(Forward::local);
    if (forward == Forward::local) return;
    const auto name = choices.at(static_cast<std::size_t>(forward)).name;
    reader.error(
        "forward", fmt::format("forward: {} is not supported yet", name),
        "remove it: vipd has no layer-4 balancing yet; the service runs on this node (forward: local)");
  }

  const RouterSection& routers_;
  Diagnostics& diagnostics_;
  CheckSchema& checks_;
  std::map<Listener, Claim> listeners_;
};

}  // namespace

std::vector<ServerEntry> read_servers(const Node& node, const RouterSection& routers,
                                      Diagnostics& diagnostics, CheckSchema& checks) {
  return ServerSchema(routers, diagnostics, checks).read(node);
}

}  // namespace vipd::conf
