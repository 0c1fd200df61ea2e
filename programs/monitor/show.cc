#include "programs/monitor/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "programs/monitor/json_text.h"

namespace vipd::programs {

namespace {
using nlohmann::json;

InMilliseconds milliseconds(Duration duration) {
  return {duration};
}

double rounded_seconds(Duration duration) {
  const auto whole = std::chrono::floor<std::chrono::milliseconds>(duration).count();
  return static_cast<double>(whole) / 1e3;
}

template <std::size_t n>
void write_text_or_null(JsonText& out, const char (&key)[n], const std::string& text) {
  text.empty() ? out(key, nullptr) : out(key, text);
}

std::string optional_text(const std::optional<IpAddress>& address) {
  return address ? to_string(*address) : std::string();
}

void write_discarded(JsonText& out, const vrrp::DiscardCounters& counters) {
  out.begin("discarded", '{');
  for (std::size_t i = 0; i < counters.size(); ++i)
    out.named(to_string(static_cast<vrrp::DecodeError>(i)), counters[i]);
  out.end('}');
}

void write_counters(JsonText& out, const vrrp::Counters& counters) {
  out.begin("counters", '{');
  out("advertisements_sent", counters.advertisements_sent);
  out("advertisements_received", counters.advertisements_received);
  out("priority_zero_sent", counters.priority_zero_sent);
  out("priority_zero_received", counters.priority_zero_received);
  out("became_active", counters.became_active);
  out("interval_mismatches", counters.interval_mismatches);
  out("address_list_mismatches", counters.address_list_mismatches);
  out("trailing_bytes", counters.trailing_bytes);
  out("reassertions", counters.reassertions);
  out("reassertions_suppressed", counters.reassertions_suppressed);
  out("addresses_restored", counters.addresses_restored);
  out("address_claims", counters.address_claims);
  out.end('}');
}

void write_peer(JsonText& out, const std::optional<vrrp::Peer>& peer, TimePoint now) {
  if (!peer) return out("peer", nullptr);
  out.begin("peer", '{');
  out("address", to_string(peer->address));
  out("priority", peer->priority);
  out("advertisement_interval_ms", milliseconds(peer->interval));
  out("heard_ms_ago", milliseconds(now - peer->heard));
  out.end('}');
}

void write_claim(JsonText& out, const std::optional<vrrp::AddressClaim>& claim, TimePoint now) {
  if (!claim) return out("conflict", nullptr);
  out.begin("conflict", '{');
  out("address", to_string(claim->address));
  write_text_or_null(out, "mac", claim->mac == MacAddress{} ? std::string() : to_string(claim->mac));
  out("heard_ms_ago", milliseconds(now - claim->heard));
  out("times", claim->times);
  out.end('}');
}

// The reason why there is no lease, or empty.
std::string lease_off(const vrrp::VirtualRouterConfig& config, const LeaseStatus* lease) {
  if (!config.lease) return "switched off in the configuration";
  if (config.owner()) return "address owner: the addresses are the host's own";
  return lease ? lease->why_not : "the guardian has not assigned one yet";
}

void write_lease(JsonText& out, const vrrp::VirtualRouterConfig& config, const LeaseStatus* lease,
                 TimePoint now) {
  const auto why_not = lease_off(config, lease);
  out.begin("lease", '{');
  out("on", why_not.empty());
  write_text_or_null(out, "why_not", why_not);
  if (why_not.empty() && lease->until != TimePoint{})
    out("remaining_ms", milliseconds(lease->until - now));
  else
    out("remaining_ms", nullptr);
  out("drops", why_not.empty() ? lease->drops : 0);
  out.end('}');
}

void write_addresses(JsonText& out, const vrrp::RouterStatus& router) {
  const auto& present = router.addresses_present;
  out.begin("addresses", '[');
  for (const auto& prefix : router.config.addresses) {
    out.begin('{');
    out("address", to_string(prefix));
    out("present", std::find(present.begin(), present.end(), prefix) != present.end());
    out.end('}');
  }
  out.end(']');
}

void write_router(JsonText& out, const vrrp::RouterStatus& router, const LeaseStatus* lease, TimePoint now) {
  const auto& config = router.config;
  out.begin('{');
  out("name", config.name);
  out("interface", config.path());
  out("vrid", config.key.vrid);
  out("family", to_string(config.key.family));
  out("state", to_string(router.state));
  out("since_s", rounded_seconds(now - router.since));
  out("reason", router.reason);
  out.begin("obstacles", '[');
  for (const auto& obstacle : router.obstacles) out.value(obstacle);
  out.end(']');
  out("priority", router.priority);
  out("base_priority", config.priority);
  out("preempt_mode", config.preempt_mode);
  out("advertisement_interval_ms", milliseconds(config.advertisement_interval));
  out("active_adver_interval_ms", milliseconds(router.active_adver_interval));
  out("max_adopted_interval_ms", milliseconds(config.adoption_bound()));
  out("checksum", router.checksum == vrrp::ChecksumForm::rfc9568 ? "rfc9568" : "pseudo_header");
  write_text_or_null(out, "primary_address", optional_text(router.primary_address));
  write_peer(out, router.peer, now);
  write_claim(out, router.claim, now);
  write_text_or_null(out, "deaf_peer", optional_text(router.deaf_peer));
  out("yielded", router.yielded);
  out("on_trial", router.on_trial);
  out("releasing", router.releasing);
  write_addresses(out, router);
  write_lease(out, config, lease, now);
  write_counters(out, router.counters);
  write_discarded(out, router.counters.discarded);
  out.begin("checks", '[');
  for (const auto& tracked : config.checks) out.value(tracked.check);
  out.end(']');
  out.end('}');
}

void write_check(JsonText& out, const checks::CheckStatus& check, TimePoint now) {
  const auto age = [&](const auto& key, const std::optional<TimePoint>& since) {
    since ? out(key, rounded_seconds(now - *since)) : out(key, nullptr);
  };
  out.begin('{');
  out("name", check.check);
  out("kind", check.kind);
  out("state", !check.healthy ? "unknown" : *check.healthy ? "up" : "down");
  out("detail", check.detail);
  out("latency_ms", milliseconds(check.latency));
  out("latency_exceeded", check.latency_exceeded);
  out("successes_in_a_row", check.successes_in_a_row);
  out("failures_in_a_row", check.failures_in_a_row);
  out("runs", check.runs);
  out("failures", check.failures);
  age("since_s", check.since);
  age("last_result_s_ago", check.last_result);
  if (check.priority) out("priority", *check.priority);
  out.end('}');
}

void write_programs(JsonText& out, const Programs& programs, TimePoint now) {
  out.begin("programs", '{');
  for (const auto& [name, program] : programs.programs) {
    out.begin(name, '{');
    out("pid", program.pid);
    out("uptime_s", rounded_seconds(now - program.since));
    out("restarts", program.restarts);
    out.end('}');
  }
  out.end('}');
}
}  // namespace

std::string status_to_json(const StatusReply& reply, const std::vector<checks::CheckStatus>& checks,
                           const Programs& programs, TimePoint now) {
  const auto& status = reply.status;
  JsonText out;
  out.begin('{');
  out("version", VIPD_VERSION);
  out("config_file", programs.config_file);
  write_programs(out, programs, now);
  programs.goes_back ? out("goes_back_in_s", rounded_seconds(*programs.goes_back - now))
                     : out("goes_back_in_s", nullptr);
  out.begin("routers", '[');
  for (const auto& router : status.routers) {
    const auto lease = reply.leases.find(router.config.key);
    write_router(out, router, lease == reply.leases.end() ? nullptr : &lease->second, status.now);
  }
  out.end(']');
  out.begin("interfaces", '{');
  for (const auto& [interface, discarded] : status.discarded) {
    out.begin(interface, '{');
    write_discarded(out, discarded);
    out.end('}');
  }
  out.end('}');
  out.begin("checks", '[');
  for (const auto& check : checks) write_check(out, check, now);
  out.end(']');
  out.end('}');
  return out.take();
}

json explanation_to_json(const vrrp::Status& status, const std::string& router) {
  json result = json::array();
  for (const auto& each : status.routers)
    if (each.config.name == router)
      result.push_back({{"name", router},
                        {"interface", each.config.path()},
                        {"vrid", each.config.key.vrid},
                        {"family", to_string(each.config.key.family)},
                        {"state", to_string(each.state)},
                        {"priority", each.priority},
                        {"sentences", vrrp::explain(each, status.now)}});
  return result.empty() ? json(nullptr) : result;
}

}  // namespace vipd::programs
