#include "conf/print.h"

#include <fmt/format.h>

#include "checks/settings/check_settings.h"
#include "conf/build.h"
#include "conf/events_schema.h"
#include "conf/hooks_schema.h"
#include "conf/metrics_schema.h"
#include "conf/yaml.h"
#include "conf/yaml_writer.h"

namespace vipd::conf {

namespace {

std::string_view name_of(vrrp::ChecksumMode mode) {
  switch (mode) {
    case vrrp::ChecksumMode::automatic: return "auto";
    case vrrp::ChecksumMode::rfc9568: return "rfc9568";
    case vrrp::ChecksumMode::pseudo_header: return "pseudo_header";
  }
  return "";
}

std::string_view name_of(LinkLocal link_local) {
  return link_local == LinkLocal::derive ? "derive" : "none";
}

std::string duration_or_off(Duration duration) {
  return duration == Duration::zero() ? "off" : vipd::to_string(duration);
}

std::string print_checks(const std::vector<checks::CheckConfig>& checks) {
  if (checks.empty()) return {};
  std::string text = "    checks:\n";
  for (const auto& check : checks) {
    const auto name = check.name.substr(check.name.rfind('/') + 1);
    text += "      " + yaml_scalar(name) + ":\n" + yaml_map(checks::check_to_node(check), 8);
  }
  return text;
}

std::string print_router(const RouterEntry& router) {
  std::string text = "  " + yaml_scalar(router.name) + ":\n";
  text += fmt::format("    interface: {}\n", yaml_scalar(router.interface));
  text += fmt::format("    vrid: {}\n", router.vrid);
  text += fmt::format("    priority: {}\n", router.priority);
  text += fmt::format("    advertisement_interval: {}\n", vipd::to_string(router.advertisement_interval));
  text += fmt::format("    max_adopted_interval: {}\n", vipd::to_string(router.max_adopted_interval));
  text += fmt::format("    preempt_mode: {}\n", router.preempt_mode);
  text += fmt::format("    accept_mode: true\n");
  text += fmt::format("    checksum: {}\n", name_of(router.checksum));
  text += "    addresses:\n";
  for (const auto& address : router.addresses) text += "      - " + yaml_scalar(to_string(address)) + "\n";
  text += fmt::format("    link_local: {}\n", name_of(router.link_local));
  text += fmt::format("    dead_man: {}\n", duration_or_off(router.dead_man));
  text += fmt::format("    lease: {}\n", router.lease ? "auto" : "off");
  text += fmt::format("    announce: {{repeat: {}, refresh: {}, pace: {}}}\n", router.announce.repeat,
                      duration_or_off(router.announce.refresh), duration_or_off(router.announce.pace));
  return text + print_checks(router.checks) + print_hooks(router.hooks, 4);
}

std::string print_server(const ServerEntry& server) {
  std::string text = "  " + yaml_scalar(server.name) + ":\n";
  text += "    router: " + yaml_scalar(server.router) + "\n";
  text += "    forward: local\n";
  text += "    listen:\n";
  for (const auto& listener : server.listen) text += "      - " + yaml_scalar(to_string(listener)) + "\n";
  return text + print_checks(server.checks);
}

}  // namespace

std::string to_string(const Listener& listener) {
  const auto address = to_string(listener.address);
  const bool ipv4 = listener.address.family == Family::ipv4;
  return fmt::format("{}:{}", ipv4 ? address : "[" + address + "]", listener.port);
}

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

std::string summary(const Config& config) {
  return counted(config.virtual_routers.size(), "virtual router") + ", " +
         counted(config.virtual_servers.size(), "virtual server") + ", " +
         counted(checks(config).size(), "check");
}

std::string print(const Config& config) {
  std::string text = "virtual_routers:\n";
  for (const auto& router : config.virtual_routers) text += print_router(router);
  if (!config.virtual_servers.empty()) text += "virtual_servers:\n";
  for (const auto& server : config.virtual_servers) text += print_server(server);
  return text + print_events(config.events) + print_metrics(config.metrics) + print_hooks(config.hooks, 0);
}

}  // namespace vipd::conf
