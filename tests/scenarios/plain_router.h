// PlainRouter: a router of another make, as RFC 9568 section 6.4 has it and nothing more: no fast move when
// the Active's priority falls, no make-before-break, no health. Written from the RFC's text and not with
// vrrp/virtual_router, so that the two can be wrong in different ways; only the codec is shared.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/status.h"

namespace vipd::scenarios {

class PlainRouter {
 public:
  struct Effects {
    std::function<void(std::vector<std::uint8_t> message)> send;
    std::function<void(vrrp::StateName from, vrrp::StateName to)> changed;
  };
  PlainRouter(vrrp::VirtualRouterConfig config, IpAddress primary, Effects effects)
      : config_(std::move(config)), primary_(primary), effects_(std::move(effects)) {}

  void startup(TimePoint now);
  void shutdown(TimePoint now);
  void received(TimePoint now, const IpAddress& source, const vrrp::Advertisement& advertisement);
  void tick(TimePoint now);
  void set_priority(vrrp::Priority priority) { config_.priority = priority; }

  TimePoint deadline() const { return state_ == vrrp::StateName::initialize ? never : timer_; }
  vrrp::StateName state() const { return state_; }
  const vrrp::VirtualRouterConfig& config() const { return config_; }

 private:
  void send(vrrp::Priority priority);
  void change(vrrp::StateName to);
  Duration interval() const { return config_.advertisement_interval; }

  vrrp::VirtualRouterConfig config_;
  IpAddress primary_;
  Effects effects_;
  vrrp::StateName state_ = vrrp::StateName::initialize;
  TimePoint timer_ = never;  // Adver_Timer or Active_Down_Timer
  Duration active_adver_interval_{};
};

}  // namespace vipd::scenarios
