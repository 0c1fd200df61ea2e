#include "programs/monitor/metrics.h"

#include <algorithm>
#include <array>
#include <functional>

namespace vipd::programs {

namespace {
constexpr Duration conflict_shown = std::chrono::minutes(1);
constexpr std::string_view guardian_name = "guardian";

using Labels = Exposition::Labels;

Labels labels_of(const vrrp::VirtualRouterConfig& config) {
  return {{"router", config.name},
          {"interface", config.path()},
          {"vrid", std::to_string(config.key.vrid)},
          {"family", std::string(to_string(config.key.family))}};
}

Labels with(Labels labels, std::string_view name, std::string value) {
  labels.emplace_back(name, std::move(value));
  return labels;
}

class Writer {
 public:
  Writer(const Measured& measured, Format format) : measured_(measured), out_(format) {}

  std::string take() {
    programs();
    events();
    checks();
    if (measured_.router) {
      states();
      counters();
      times();
      discards();
      addresses();
      leases();
    }
    return out_.take();
  }

 private:
  const std::vector<vrrp::RouterStatus>& routers() const { return measured_.router->status.routers; }

  // One sample for each virtual router.
  template <class Get>
  void each(Get get) {
    for (const auto& router : routers()) out_.sample(labels_of(router.config), get(router));
  }

  void programs() {
    out_.gauge("vipd_build_info", "Always 1; the label version is the version that is running.");
    out_.sample({{"version", VIPD_VERSION}}, std::uint64_t{1});
    out_.gauge("vipd_router_answers",
               "1 if vipd-router answers; if 0, all metrics of virtual routers are missing.");
    out_.sample({}, std::uint64_t{measured_.router != nullptr});
    const auto& all = measured_.programs.programs;
    out_.gauge("vipd_program_up", "1 for each of the three programs that is running, 0 otherwise.");
    for (const auto& [name, program] : all) out_.sample({{"program", name}}, std::uint64_t{program.pid != 0});
    out_.gauge("vipd_program_uptime_seconds", "How long the program has been running.");
    for (const auto& [name, program] : all)
      out_.sample({{"program", name}}, program.pid == 0 ? 0.0 : seconds_of(measured_.now - program.since));
    out_.counter("vipd_program_restarts", "How often the program was restarted after an unexpected exit.");
    // vipd itself cannot restart the guardian.
    for (const auto& [name, program] : all)
      if (name != guardian_name) out_.sample({{"program", name}}, std::uint64_t{program.restarts});
  }

  void events() {
    out_.counter("vipd_events", "Events since vipd-monitor was started, by name.");
    for (const auto& [name, count] : measured_.events) out_.sample({{"event", name}}, count);
  }

  template <class Get>
  void each_check(Get get) {
    for (const auto& check : measured_.checks)
      out_.sample({{"check", check.check}, {"kind", check.kind}}, get(check));
  }

  void checks() {
    using Check = checks::CheckStatus;
    out_.gauge("vipd_check_up", "1 up, 0 down, 0.5 no result yet.");
    each_check([](const Check& check) { return !check.healthy ? 0.5 : *check.healthy ? 1.0 : 0.0; });
    out_.gauge("vipd_check_interval_seconds", "Time from the start of one attempt to the start of the next.");
    each_check([](const Check& check) { return seconds_of(check.interval); });
    out_.counter("vipd_check_runs", "Attempts with a result.");
    each_check([](const Check& check) { return check.runs; });
    out_.counter("vipd_check_failures", "Attempts that failed.");
    each_check([](const Check& check) { return check.failures; });
    out_.histogram(
        "vipd_check_latency_seconds",
        "Time from the start of an attempt to its answer; an attempt that was ended without one counts as "
        "longer than its bound.");
    each_check([](const Check& check) { return check.latencies; });
    out_.gauge("vipd_check_last_result_age_seconds", "Time since the last result.");
    for (const auto& check : measured_.checks)
      if (check.last_result)
        out_.sample({{"check", check.check}, {"kind", check.kind}},
                    seconds_of(measured_.now - *check.last_result));
  }

  void states() {
    using Router = vrrp::RouterStatus;
    out_.gauge("vipd_router_state", "1 for the current state of the virtual router, 0 for the others.");
    for (const auto& router : routers())
      for (const auto state : {vrrp::StateName::initialize, vrrp::StateName::backup, vrrp::StateName::active})
        out_.sample(with(labels_of(router.config), "state", std::string(to_string(state))),
                    std::uint64_t{router.state == state});
    out_.gauge("vipd_router_state_age_seconds", "Time since the last change of state.");
    each([this](const Router& router) { return seconds_of(measured_.now - router.since); });
    out_.gauge("vipd_router_priority",
               "Effective priority: the configured priority as adjusted by health checks.");
    each([](const Router& router) { return std::uint64_t{router.priority}; });
    out_.gauge("vipd_router_base_priority", "Configured priority.");
    each([](const Router& router) { return std::uint64_t{router.config.priority}; });
    out_.gauge("vipd_router_advertisement_interval_seconds", "Configured Advertisement_Interval.");
    each([](const Router& router) { return seconds_of(router.config.advertisement_interval); });
    out_.gauge("vipd_router_conflict",
               "1 if another host has claimed an address of this Active in the last minute.");
    each([this](const Router& router) {
      return std::uint64_t{router.claim &&
                           measured_.router->status.now - router.claim->heard < conflict_shown};
    });
    out_.gauge("vipd_router_peer_deaf", "1 if a peer stays Active because it does not hear this node.");
    each([](const Router& router) { return std::uint64_t{router.deaf_peer.has_value()}; });
    out_.gauge("vipd_peer_priority", "Priority in the last advertisement from a peer.");
    for (const auto& router : routers())
      if (router.peer)
        out_.sample(with(labels_of(router.config), "peer", to_string(router.peer->address)),
                    std::uint64_t{router.peer->priority});
    out_.gauge("vipd_peer_heard_age_seconds", "Time since the last advertisement from a peer.");
    for (const auto& router : routers())
      if (router.peer)
        out_.sample(with(labels_of(router.config), "peer", to_string(router.peer->address)),
                    seconds_of(measured_.now - router.peer->heard));
  }

  const vrrp::Measurements& measured(const vrrp::RouterStatus& router) const {
    static const vrrp::Measurements nothing;
    const auto found = measured_.router->measurements.find(router.config.key);
    return found == measured_.router->measurements.end() ? nothing : found->second;
  }

  struct Counter {
    std::string_view name;
    std::string_view help;
    std::uint64_t vrrp::Counters::* value;
  };
  static constexpr std::array<Counter, 11> all_counters{{
      {"vipd_sent_advertisements", "Advertisements sent.", &vrrp::Counters::advertisements_sent},
      {"vipd_rcvd_advertisements", "Valid advertisements received.",
       &vrrp::Counters::advertisements_received},
      {"vipd_sent_pri_zero_packets", "Farewells sent (advertisements of priority 0).",
       &vrrp::Counters::priority_zero_sent},
      {"vipd_rcvd_pri_zero_packets", "Farewells received (advertisements of priority 0).",
       &vrrp::Counters::priority_zero_received},
      {"vipd_master_transitions", "How often this node became Active.", &vrrp::Counters::became_active},
      {"vipd_adv_interval_errors", "Accepted advertisements whose interval differs from the configured one.",
       &vrrp::Counters::interval_mismatches},
      {"vipd_address_list_errors", "Accepted advertisements whose addresses differ from the configured ones.",
       &vrrp::Counters::address_list_mismatches},
      {"vipd_reassertions", "Advertisements sent immediately in reply to an Active of lower priority.",
       &vrrp::Counters::reassertions},
      {"vipd_reassertions_suppressed",
       "Replies to an Active of lower priority that the rate limit held back.",
       &vrrp::Counters::reassertions_suppressed},
      {"vipd_addresses_restored", "Addresses restored after another program had removed them.",
       &vrrp::Counters::addresses_restored},
      {"vipd_address_claims", "How often another host claimed an address of this Active.",
       &vrrp::Counters::address_claims},
  }};

  void counters() {
    for (const auto& counter : all_counters) {
      out_.counter(counter.name, counter.help);
      each([&](const vrrp::RouterStatus& router) { return router.counters.*counter.value; });
    }
    out_.counter("vipd_new_master_reasons",
                 "How often this node became Active since vipd-router was started, by reason.");
    for (const auto& router : routers())
      for (std::size_t i = 0; i < vrrp::reason_count; ++i)
        out_.sample(
            with(labels_of(router.config), "reason", std::string(to_string(static_cast<vrrp::Reason>(i)))),
            measured(router).became_active[i]);
  }

  void times() {
    using Router = vrrp::RouterStatus;
    out_.histogram("vipd_advertisement_lateness_seconds", "How late advertisements were sent.");
    each([this](const Router& router) { return measured(router).lateness; });
    out_.histogram(
        "vipd_advertisement_jitter_seconds",
        "Difference between the Active's interval and the time between two of its advertisements.");
    each([this](const Router& router) { return measured(router).jitter; });
    out_.histogram(
        "vipd_failover_seconds",
        "Time from the last advertisement of an Active that fell silent until this node was Active.");
    each([this](const Router& router) { return measured(router).failover; });
    out_.histogram("vipd_handover_seconds",
                   "Time from the farewell of an Active until this node was Active.");
    each([this](const Router& router) { return measured(router).handover; });
  }

  void discards() {
    out_.counter("vipd_discarded_advertisements",
                 "Advertisements discarded, by reason; router is empty if no virtual router of this node is "
                 "concerned.");
    const auto tell = [&](const Labels& labels, const vrrp::DiscardCounters& counters) {
      for (std::size_t i = 0; i < counters.size(); ++i)
        out_.sample(with(labels, "reason", std::string(to_string(static_cast<vrrp::DecodeError>(i)))),
                    counters[i]);
    };
    for (const auto& router : routers()) tell(labels_of(router.config), router.counters.discarded);
    for (const auto& [interface, counters] : measured_.router->status.discarded)
      tell({{"router", ""}, {"interface", interface}, {"vrid", ""}, {"family", ""}}, counters);
  }

  void addresses() {
    using Router = vrrp::RouterStatus;
    out_.gauge("vipd_addresses", "Configured virtual addresses.");
    each([](const Router& router) { return std::uint64_t{router.config.addresses.size()}; });
    out_.gauge("vipd_addresses_present", "Virtual addresses present in the kernel of this node.");
    each([](const Router& router) { return std::uint64_t{router.addresses_present.size()}; });
    const auto activity = [&](std::string_view name, std::string_view help, std::uint64_t Activity::* value) {
      out_.counter(name, help);
      each([&](const Router& router) {
        const auto found = measured_.router->activity.find(router.config.key);
        return found == measured_.router->activity.end() ? std::uint64_t{0} : found->second.*value;
      });
    };
    activity("vipd_addresses_added", "Addresses added since vipd-router was started.", &Activity::added);
    activity("vipd_addresses_removed", "Addresses removed since vipd-router was started.",
             &Activity::removed);
    activity("vipd_addresses_renewed", "Address lifetimes renewed since vipd-router was started.",
             &Activity::renewed);
    activity("vipd_announcements",
             "Gratuitous ARP and unsolicited neighbour advertisements sent since vipd-router was started.",
             &Activity::announced);
  }

  void leases() {
    const auto each_lease = [&](auto get) {
      for (const auto& router : routers())
        if (const auto found = measured_.router->leases.find(router.config.key);
            found != measured_.router->leases.end())
          out_.sample(labels_of(router.config), get(found->second));
    };
    out_.gauge("vipd_lease_on", "1 if the kernel guards the addresses with a lease.");
    each_lease([](const LeaseStatus& lease) { return std::uint64_t{lease.why_not.empty()}; });
    out_.counter("vipd_lease_dropped_packets",
                 "Packets that the kernel dropped because the lease had expired.");
    each_lease([](const LeaseStatus& lease) { return lease.drops; });
  }

  const Measured& measured_;
  Exposition out_;
};

}  // namespace

std::string metrics_text(const Measured& measured, Format format) {
  return Writer(measured, format).take();
}

}  // namespace vipd::programs
