#include "conf/words.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <string_view>

namespace vipd::conf {

namespace {

struct Word {
  std::string_view key;
  std::string_view remedy;
};

constexpr Word reserved_for_routers[] = {
    {"virtual_mac", "remove it: vipd puts addresses on the interface itself, with its own MAC address"},
    {"unicast_peers", "remove it: vipd sends advertisements to the multicast group"},
    {"version", "remove it: vipd always uses VRRPv3 (RFC 9568)"},
    {"sync_group", "put addresses that must move together into one virtual router"},
    {"track_interfaces", "remove it: vipd always watches the interface of the virtual router"},
    {"excluded_addresses", "list all of them in addresses, up to 255 of each family"},
    {"routes", "remove it: vipd moves only addresses"},
    {"rules", "remove it: vipd moves only addresses"},
};
constexpr std::string_view no_authentication =
    "remove it: VRRPv3 has no authentication (RFC 9568 section 9); a packet filter protects better";
constexpr std::string_view no_state =
    "remove it: every virtual router starts as Backup, and the priorities decide";
constexpr std::string_view write_notify =
    "write hooks: {arguments: keepalived, ...}, with on_active, on_backup and on_initialize";
constexpr std::string_view write_on_active = "write hooks: {on_active: [/path/of/program]}";
constexpr std::string_view write_on_backup = "write hooks: {on_backup: [/path/of/program]}";
constexpr std::string_view write_on_initialize = "write hooks: {on_initialize: [/path/of/program]}";
constexpr std::string_view write_fifo = "write hooks: {fifo: /run/vipd/fifo, arguments: keepalived}";
constexpr std::string_view write_mail = "write hooks: {mail: {smtp: smtp://HOST:25, from: ..., to: [...]}}";
constexpr std::string_view write_announce = "write announce: {repeat: 5, refresh: 60s}";
// Notifications of state changes, in every place where keepalived accepts them.
constexpr Word foreign_notifications[] = {
    {"notify", write_notify},
    {"notify_master", write_on_active},
    {"notify_backup", write_on_backup},
    {"notify_fault", write_on_initialize},
    {"notify_stop", write_on_initialize},
    {"notify_fifo", write_fifo},
    {"smtp_alert", write_mail},
};
constexpr Word foreign_to_routers[] = {
    {"virtual_router_id", "write vrid"},
    {"router_id", "write vrid"},
    {"advert_int", "write advertisement_interval, with a unit: 1s"},
    {"virtual_ipaddress", "write addresses"},
    {"virtual_ipaddress_excluded", "write addresses, which takes up to 255 of each family"},
    {"nopreempt", "write preempt_mode: false"},
    {"preempt", "write preempt_mode: true"},
    {"preempt_delay",
     "remove it: rise of a check sets how many successes a node needs before it counts as up again"},
    {"accept", "remove it: accept_mode is true by default"},
    {"no_accept", "remove it: accept_mode: false is not supported yet"},
    {"state", no_state},
    {"track_script", "write checks, with a script check"},
    {"track_process", "write checks, with a script, tcp or http check"},
    {"track_file", "write checks, with a script check"},
    {"track_interface",
     "remove it: vipd always watches the interface of the virtual router, but no other interface yet"},
    {"authentication", no_authentication},
    {"auth_type", no_authentication},
    {"auth_pass", no_authentication},
    {"unicast_peer",
     "remove it: unicast_peers is not supported yet; vipd sends advertisements to the multicast group"},
    {"unicast_src_ip", "remove it: vipd sends advertisements to the multicast group"},
    {"mcast_src_ip",
     "remove it: the primary address of the interface is the source (RFC 9568 section 5.1.1.1)"},
    {"use_vmac", "remove it: virtual_mac is not supported yet"},
    {"virtual_routes", "remove it: routes is not supported yet"},
    {"virtual_rules", "remove it: rules is not supported yet"},
    {"vrrp_version", "remove it: vipd always uses VRRPv3 (RFC 9568)"},
    {"garp_master_delay", write_announce},
    {"garp_master_repeat", write_announce},
    {"garp_master_refresh", write_announce},
    {"garp_master_refresh_repeat", write_announce},
    {"garp_lower_prio_delay", write_announce},
    {"garp_lower_prio_repeat", write_announce},
    {"dont_track_primary", "remove it: a virtual router cannot serve without its interface"},
    {"native_ipv6", "remove it: an IPv6 address in addresses is enough"},
    {"vmac_xmit_base", "remove it: vipd sends advertisements on the interface itself"},
    {"track_bfd", "write checks, with a script check"},
    {"weight", "write on_failure: {priority: -60}, in a check"},
    {"down_timer_adverts", "remove it: RFC 9568 requires three, which the peers use too"},
    {"strict_mode", "remove it: vipd always rejects what RFC 9568 forbids"},
    {"skip_check_adv_addr",
     "remove it: vipd counts advertisements with another address list and accepts them"},
    {"lower_prio_no_advert", "remove it: vipd answers as RFC 9568 requires"},
    {"higher_prio_send_advert", "remove it: vipd answers as RFC 9568 requires"},
    {"old_unicast_checksum", "remove it: checksum: auto finds the form that the peers accept"},
    {"debug", "remove it, and run vipd with --log-level debug"},
};

constexpr std::string_view later_balancing =
    "remove it: vipd has no layer-4 balancing yet; the service runs on this node (forward: local)";
constexpr Word reserved_for_servers[] = {
    {"real_servers", later_balancing},
    {"quorum", later_balancing},
    {"scheduler", later_balancing},
    {"persistence", later_balancing},
};
constexpr Word foreign_to_servers[] = {
    {"real_server", later_balancing},
    {"lb_algo", later_balancing},
    {"lb_kind", later_balancing},
    {"lvs_sched", later_balancing},
    {"lvs_method", later_balancing},
    {"persistence_timeout", later_balancing},
    {"sorry_server", later_balancing},
    {"protocol", "remove it: listen sets the addresses and ports that clients connect to"},
    {"delay_loop", "write interval, in a check"},
    {"virtual_router", "write router"},
    {"virtualhost", "write host, in an http check"},
    {"alpha", "remove it: a check counts from its first result"},
    {"omega", later_balancing},
    {"ha_suspend", later_balancing},
    {"quorum_up", later_balancing},
    {"quorum_down", later_balancing},
    {"notify_up", "write on_event, in hooks of the virtual router: it receives the event check_changed"},
    {"notify_down", "write on_event, in hooks of the virtual router: it receives the event check_changed"},
    {"retry", "write fall, in a check"},
    {"addresses", "write listen, with ports; addresses belongs to the virtual router"},
};

constexpr std::string_view write_announce_there =
    "write announce in the virtual router: {repeat: 5, refresh: 60s}";
constexpr Word reserved_at_top[] = {
    {"sync_groups", "put addresses that must move together into one virtual router"},
};
constexpr Word foreign_at_top[] = {
    {"include", "write virtual_routers: !include FILE, or put the file into conf.d"},
    {"vrrp_instance", "write virtual_routers: {NAME: ...}"},
    {"virtual_router", "write virtual_routers: {NAME: ...}"},
    {"virtual_server", "write virtual_servers: {NAME: ...}"},
    {"vrrp_sync_group", "put addresses that must move together into one virtual router"},
    {"vrrp_script", "write checks, in the virtual router or virtual server that the script checks"},
    {"global_defs", "remove it: vipd has no such section; write events, metrics and hooks at the top level"},
    {"checks", "move checks into a virtual router or a virtual server"},
    {"vrrp_notify_fifo", write_fifo},
    {"vrrp_track_process", "write checks, with a script, tcp or http check"},
    {"vrrp_track_file", "write checks, with a script check"},
    {"static_ipaddress", "remove it: static addresses belong in the network configuration of the host"},
    {"static_routes", "remove it: static routes belong in the network configuration of the host"},
    {"router_id", "remove it: the name of a node is its host name"},
    {"notification_email", write_mail},
    {"notification_email_from", write_mail},
    {"smtp_server", write_mail},
    {"script_user", "write user, in hooks or in a script check"},
    {"enable_script_security", "remove it: vipd never runs a program that other users can replace"},
    {"vrrp_garp_master_delay", write_announce_there},
    {"vrrp_garp_master_repeat", write_announce_there},
    {"vrrp_garp_master_refresh", write_announce_there},
};

constexpr Word foreign_to_checks[] = {
    {"weight", "write on_failure: {priority: -60}"},
    {"retry", "write fall"},
    {"nb_get_retry", "write fall"},
    {"delay_loop", "write interval"},
    {"delay_before_retry", "write interval"},
    {"connect_timeout", "write timeout"},
    {"init_fail", "remove it: the first result counts at once"},
};

// Each is a kind of check in keepalived, so the error is not that the kind is missing.
constexpr std::string_view write_http = "write http: http://127.0.0.1/healthz";
constexpr std::string_view write_tcp = "write tcp: 127.0.0.1:80";
constexpr std::string_view write_script = "write script: [/path/of/program, argument]";
constexpr Word foreign_kinds_of_check[] = {
    {"HTTP_GET", write_http},      {"SSL_GET", "write http: https://127.0.0.1/healthz"},
    {"TCP_CHECK", write_tcp},      {"SMTP_CHECK", "write tcp: 127.0.0.1:25, and expect: 220"},
    {"MISC_CHECK", write_script},  {"DNS_CHECK", write_script},
    {"PING_CHECK", write_script},  {"UDP_CHECK", write_script},
    {"vrrp_script", write_script}, {"track_script", write_script},
    {"misc_path", write_script},   {"url", write_http},
    {"connect_ip", write_tcp},     {"connect_port", write_tcp},
};

constexpr Word foreign_to_hooks[] = {
    {"notify", "write on_active, on_backup and on_initialize, and arguments: keepalived"},
    {"notify_master", "write on_active: [/path/of/program]"},
    {"notify_backup", "write on_backup: [/path/of/program]"},
    {"notify_fault", "write on_initialize: [/path/of/program]"},
    {"notify_stop", "write on_initialize: [/path/of/program]"},
    {"notify_fifo", "write fifo: /run/vipd/fifo, and arguments: keepalived"},
    {"on_master", "write on_active: [/path/of/program]"},
    {"on_fault", "write on_initialize: [/path/of/program]"},
    {"smtp_alert", "write mail: {smtp: smtp://HOST:25, from: ..., to: [...]}"},
    {"script_user", "write user"},
};

void refuse(Reader& reader, std::span<const Word> reserved, std::span<const Word> foreign) {
  for (const auto& word : reserved) reader.reserved(word.key, word.remedy);
  for (const auto& word : foreign) reader.foreign(word.key, word.remedy);
}

}  // namespace

void refuse_router_words(Reader& reader) {
  refuse(reader, reserved_for_routers, foreign_to_routers);
  refuse(reader, {}, foreign_notifications);
}

void refuse_server_words(Reader& reader) {
  refuse(reader, reserved_for_servers, foreign_to_servers);
}

bool refuse_check_words(Reader& reader) {
  refuse(reader, {}, foreign_to_checks);
  refuse(reader, {}, foreign_kinds_of_check);
  return std::any_of(std::begin(foreign_kinds_of_check), std::end(foreign_kinds_of_check),
                     [&](const Word& word) { return reader.has(word.key); });
}

void refuse_hook_words(Reader& reader) {
  refuse(reader, {}, foreign_to_hooks);
}

void refuse_top_words(Reader& reader) {
  refuse(reader, reserved_at_top, foreign_at_top);
  refuse(reader, {}, foreign_notifications);
}

}  // namespace vipd::conf
