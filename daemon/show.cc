#include "daemon/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

namespace vipd::daemon {

namespace {
using nlohmann::json;

double milliseconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

double seconds(Duration duration) {
  return static_cast<double>(duration.count() / 1'000'000) / 1e3;
}

json discarded_to_json(const vrrp::DiscardCounters& counters) {
  json result = json::object();
  for (std::size_t i = 0; i < counters.size(); ++i)
    result[std::string(to_string(static_cast<vrrp::DecodeError>(i)))] = counters[i];
  return result;
}

json counters_to_json(const vrrp::Counters& counters) {
  return {{"advertisements_sent", counters.advertisements_sent},
          {"advertisements_received", counters.advertisements_received},
          {"priority_zero_sent", counters.priority_zero_sent},
          {"priority_zero_received", counters.priority_zero_received},
          {"became_active", counters.became_active},
          {"interval_mismatches", counters.interval_mismatches},
          {"address_list_mismatches", counters.address_list_mismatches},
          {"trailing_bytes", counters.trailing_bytes},
          {"reassertions", counters.reassertions},
          {"reassertions_suppressed", counters.reassertions_suppressed},
          {"addresses_restored", counters.addresses_restored},
          {"address_claims", counters.address_claims}};
}

json peer_to_json(const std::optional<vrrp::Peer>& peer, TimePoint now) {
  if (!peer) return nullptr;
  return {{"address", to_string(peer->address)},
          {"priority", peer->priority},
          {"advertisement_interval_ms", milliseconds(peer->interval)},
          {"heard_ms_ago", milliseconds(now - peer->heard)}};
}

json claim_to_json(const std::optional<vrrp::AddressClaim>& claim, TimePoint now) {
  if (!claim) return nullptr;
  json result{{"address", to_string(claim->address)},
              {"mac", nullptr},
              {"heard_ms_ago", milliseconds(now - claim->heard)},
              {"times", claim->times}};
  if (claim->mac != MacAddress{}) result["mac"] = to_string(claim->mac);
  return result;
}

// Why there is no lease, or empty.
std::string lease_off(const vrrp::VirtualRouterConfig& config, const LeaseStatus* lease) {
  if (!config.lease) return "switched off in the configuration";
  if (config.owner()) return "address owner: the addresses are the host's own";
  return lease ? lease->why_not : "the guardian has not said yet";
}

json lease_to_json(const vrrp::VirtualRouterConfig& config, const LeaseStatus* lease, TimePoint now) {
  const auto why_not = lease_off(config, lease);
  json result{{"on", why_not.empty()}, {"why_not", nullptr}, {"remaining_ms", nullptr}, {"drops", 0}};
  if (!why_not.empty()) {
    result["why_not"] = why_not;
    return result;
  }
  if (lease->until != TimePoint{}) result["remaining_ms"] = milliseconds(lease->until - now);
  result["drops"] = lease->drops;
  return result;
}

json router_to_json(const vrrp::RouterStatus& router, const LeaseStatus* lease, TimePoint now) {
  const auto& config = router.config;
  json addresses = json::array();
  for (const auto& prefix : config.addresses)
    addresses.push_back(
        {{"address", to_string(prefix)},
         {"present", std::find(router.addresses_present.begin(), router.addresses_present.end(), prefix) !=
                         router.addresses_present.end()}});
  json result{{"name", config.name},
              {"interface", config.key.interface},
              {"vrid", config.key.vrid},
              {"family", to_string(config.key.family)},
              {"state", to_string(router.state)},
              {"since_s", seconds(now - router.since)},
              {"reason", router.reason},
              {"obstacles", router.obstacles},
              {"priority", router.priority},
              {"base_priority", config.priority},
              {"preempt_mode", config.preempt_mode},
              {"advertisement_interval_ms", milliseconds(config.advertisement_interval)},
              {"active_adver_interval_ms", milliseconds(router.active_adver_interval)},
              {"max_adopted_interval_ms", milliseconds(config.adoption_bound())},
              {"checksum", router.checksum == vrrp::ChecksumForm::rfc9568 ? "rfc9568" : "pseudo_header"},
              {"primary_address", nullptr},
              {"peer", peer_to_json(router.peer, now)},
              {"conflict", claim_to_json(router.claim, now)},
              {"deaf_peer", nullptr},
              {"yielded", router.yielded},
              {"on_trial", router.on_trial},
              {"releasing", router.releasing},
              {"addresses", std::move(addresses)},
              {"lease", lease_to_json(config, lease, now)},
              {"counters", counters_to_json(router.counters)},
              {"discarded", discarded_to_json(router.counters.discarded)}};
  if (router.deaf_peer) result["deaf_peer"] = to_string(*router.deaf_peer);
  if (router.primary_address) result["primary_address"] = to_string(*router.primary_address);
  json checks = json::array();
  for (const auto& tracked : config.checks) checks.push_back(tracked.check);
  result["checks"] = std::move(checks);
  return result;
}

json check_to_json(const health::CheckStatus& check, TimePoint now) {
  json result{{"name", check.check},
              {"kind", check.kind},
              {"state", !check.healthy   ? "unknown"
                        : *check.healthy ? "up"
                                         : "down"},
              {"detail", check.detail},
              {"latency_ms", milliseconds(check.latency)},
              {"successes_in_a_row", check.successes_in_a_row},
              {"failures_in_a_row", check.failures_in_a_row},
              {"runs", check.runs},
              {"failures", check.failures},
              {"since_s", nullptr},
              {"last_result_s_ago", nullptr}};
  if (check.since) result["since_s"] = seconds(now - *check.since);
  if (check.last_result) result["last_result_s_ago"] = seconds(now - *check.last_result);
  if (check.priority) result["priority"] = *check.priority;
  return result;
}

json programs_to_json(const Programs& programs, TimePoint now) {
  json result = json::object();
  for (const auto& [name, program] : programs.programs)
    result[name] = {
        {"pid", program.pid}, {"uptime_s", seconds(now - program.since)}, {"restarts", program.restarts}};
  return result;
}
}  // namespace

json status_to_json(const StatusReply& reply, const std::vector<health::CheckStatus>& checks,
                    const Programs& programs, TimePoint now) {
  const auto& status = reply.status;
  json result{{"version", VIPD_VERSION},
              {"config_file", programs.config_file},
              {"programs", programs_to_json(programs, now)},
              {"routers", json::array()},
              {"interfaces", json::object()},
              {"checks", json::array()}};
  for (const auto& router : status.routers) {
    const auto lease = reply.leases.find(router.config.key);
    result["routers"].push_back(
        router_to_json(router, lease == reply.leases.end() ? nullptr : &lease->second, status.now));
  }
  for (const auto& [interface, discarded] : status.discarded)
    result["interfaces"][interface] = {{"discarded", discarded_to_json(discarded)}};
  for (const auto& check : checks) result["checks"].push_back(check_to_json(check, now));
  return result;
}

json explanation_to_json(const vrrp::Status& status, const std::string& router) {
  json result = json::array();
  for (const auto& each : status.routers)
    if (each.config.name == router)
      result.push_back({{"name", router},
                        {"interface", each.config.key.interface},
                        {"vrid", each.config.key.vrid},
                        {"family", to_string(each.config.key.family)},
                        {"state", to_string(each.state)},
                        {"priority", each.priority},
                        {"sentences", vrrp::explain(each, status.now)}});
  return result.empty() ? json(nullptr) : result;
}

}  // namespace vipd::daemon
