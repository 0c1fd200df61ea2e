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
    {"virtual_mac", "addresses are on the interface itself, with its own MAC address"},
    {"unicast_peers", "advertisements go to the multicast group"},
    {"version", "leave it out: VRRPv3 (RFC 9568) is what is spoken"},
    {"sync_group", "addresses that must move together belong into one virtual router"},
    {"track_interfaces", "the virtual router's own interface is always watched"},
    {"excluded_addresses", "list all in addresses, up to 255 of a family"},
    {"routes", "addresses are all that moves"},
    {"rules", "addresses are all that moves"},
};
constexpr std::string_view no_authentication =
    "leave it out: VRRPv3 has no authentication (RFC 9568 section 9), a packet filter on the link protects "
    "better";
constexpr std::string_view no_state =
    "leave it out: every virtual router begins as Backup, and the priorities decide";
constexpr std::string_view write_notify =
    "write hooks: {arguments: keepalived, ...}, with on_active, on_backup and on_initialize";
constexpr std::string_view write_on_active = "write hooks: {on_active: [/path/of/program]}";
constexpr std::string_view write_on_backup = "write hooks: {on_backup: [/path/of/program]}";
constexpr std::string_view write_on_initialize = "write hooks: {on_initialize: [/path/of/program]}";
constexpr std::string_view write_fifo = "write hooks: {fifo: /run/vipd/fifo, arguments: keepalived}";
constexpr std::string_view write_mail = "write hooks: {mail: {smtp: smtp://HOST:25, from: ..., to: [...]}}";
constexpr std::string_view write_announce = "write announce: {repeat: 5, refresh: 60s}";
// What is told of changes of state, wherever keepalived has it.
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
    {"virtual_ipaddress_excluded", "write addresses, which takes up to 255 of a family"},
    {"nopreempt", "write preempt_mode: false"},
    {"preempt", "write preempt_mode: true"},
    {"preempt_delay", "leave it out: the rise of a check says how long a node must be well before it counts"},
    {"accept", "leave it out: accept_mode is true by default"},
    {"no_accept", "leave it out: that is accept_mode: false, which cannot be used yet"},
    {"state", no_state},
    {"track_script", "write checks, with the script in it"},
    {"track_process", "write checks, with a script, tcp or http check in it"},
    {"track_file", "write checks, with a script in it"},
    {"track_interface", "leave it out: the virtual router's own interface is always watched, others not yet"},
    {"authentication", no_authentication},
    {"auth_type", no_authentication},
    {"auth_pass", no_authentication},
    {"unicast_peer",
     "that is unicast_peers, which cannot be used yet: advertisements go to the multicast group"},
    {"unicast_src_ip", "leave it out: advertisements go to the multicast group"},
    {"mcast_src_ip",
     "leave it out: the primary address of the interface is the source (RFC 9568 section 5.1.1.1)"},
    {"use_vmac", "that is virtual_mac, which cannot be used yet"},
    {"virtual_routes", "that is routes, which cannot be used yet"},
    {"virtual_rules", "that is rules, which cannot be used yet"},
    {"vrrp_version", "leave it out: VRRPv3 (RFC 9568) is what is spoken"},
    {"garp_master_delay", write_announce},
    {"garp_master_repeat", write_announce},
    {"garp_master_refresh", write_announce},
    {"garp_master_refresh_repeat", write_announce},
    {"garp_lower_prio_delay", write_announce},
    {"garp_lower_prio_repeat", write_announce},
    {"dont_track_primary", "leave it out: without its interface no virtual router can serve"},
    {"native_ipv6", "leave it out: an IPv6 address in addresses is enough"},
    {"vmac_xmit_base", "leave it out: advertisements leave by the interface itself"},
    {"track_bfd", "write checks, with a script in it"},
    {"weight", "write on_failure: {priority: -60}, in a check"},
    {"down_timer_adverts", "leave it out: RFC 9568 has three, and so do the peers"},
    {"strict_mode", "leave it out: what RFC 9568 forbids is refused"},
    {"skip_check_adv_addr", "leave it out: differing lists are counted, and do no harm"},
    {"lower_prio_no_advert", "leave it out: RFC 9568 says what is answered"},
    {"higher_prio_send_advert", "leave it out: RFC 9568 says what is answered"},
    {"old_unicast_checksum", "leave it out: checksum: auto finds what the peers understand"},
    {"debug", "leave it out: --log-level debug of vipd is that"},
};

constexpr std::string_view later_balancing =
    "layer-4 balancing comes later; now the service runs on this node (forward: local)";
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
    {"protocol", "leave it out: listen says where clients connect"},
    {"delay_loop", "write interval, in a check"},
    {"virtual_router", "write router"},
    {"virtualhost", "write host, in a check with http"},
    {"alpha", "leave it out: a check counts from its first result on"},
    {"omega", later_balancing},
    {"ha_suspend", later_balancing},
    {"quorum_up", later_balancing},
    {"quorum_down", later_balancing},
    {"notify_up", "write on_event, in the hooks of the virtual router: it is told check_changed"},
    {"notify_down", "write on_event, in the hooks of the virtual router: it is told check_changed"},
    {"retry", "write fall, in a check"},
    {"addresses", "addresses belong to the virtual router; write listen, with ports"},
};

constexpr std::string_view write_announce_there =
    "write announce in the virtual router: {repeat: 5, refresh: 60s}";
constexpr Word reserved_at_top[] = {
    {"sync_groups", "addresses that must move together belong into one virtual router"},
};
constexpr Word foreign_at_top[] = {
    {"include", "write virtual_routers: !include FILE, or put the file into conf.d"},
    {"vrrp_instance", "write virtual_routers: {NAME: ...}"},
    {"virtual_router", "write virtual_routers: {NAME: ...}"},
    {"virtual_server", "write virtual_servers: {NAME: ...}"},
    {"vrrp_sync_group", "that is sync_groups, which cannot be used yet"},
    {"vrrp_script", "write checks, in the virtual router or virtual server that the script is about"},
    {"global_defs", "leave it out: what is common has sensible values"},
    {"checks", "checks belong to a virtual router or a virtual server"},
    {"vrrp_notify_fifo", write_fifo},
    {"vrrp_track_process", "write checks, with a script, tcp or http check in it"},
    {"vrrp_track_file", "write checks, with a script in it"},
    {"static_ipaddress",
     "leave it out: what is not virtual belongs to the network configuration of the host"},
    {"static_routes", "leave it out: what is not virtual belongs to the network configuration of the host"},
    {"router_id", "leave it out: a node is called as its host is"},
    {"notification_email", write_mail},
    {"notification_email_from", write_mail},
    {"smtp_server", write_mail},
    {"script_user", "write user, in hooks or in a check with script"},
    {"enable_script_security", "leave it out: a program that others may write is never run as root"},
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
    {"init_fail", "leave it out: the first result counts at once"},
};

// Each is a check of its own there, so what is missing here is not the kind.
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
