#include "tests/scenarios/plain_router.h"

namespace vipd::scenarios {

using vrrp::StateName;

void PlainRouter::startup(TimePoint now) {
  if (config_.owner()) {
    send(config_.priority);
    timer_ = now + interval();
    change(StateName::active);
    return;
  }
  active_adver_interval_ = interval();
  timer_ = now + vrrp::active_down_interval(config_.priority, active_adver_interval_);
  change(StateName::backup);
}

void PlainRouter::shutdown(TimePoint) {
  if (state_ == StateName::active) send(vrrp::release_priority);
  change(StateName::initialize);
}

void PlainRouter::tick(TimePoint now) {
  if (now < timer_) return;
  if (state_ == StateName::backup) change(StateName::active);
  send(config_.priority);
  timer_ = now + interval();
}

void PlainRouter::received(TimePoint now, const IpAddress& source, const vrrp::Advertisement& advertisement) {
  const auto priority = advertisement.priority;
  if (state_ == StateName::backup) {
    if (priority == 0) {
      timer_ = now + vrrp::skew_time(config_.priority, active_adver_interval_);
    } else if (!config_.preempt_mode || priority >= config_.priority) {
      active_adver_interval_ = advertisement.interval;
      timer_ = now + vrrp::active_down_interval(config_.priority, active_adver_interval_);
    }
  } else if (state_ == StateName::active) {
    if (priority == 0) {
      send(config_.priority);
      timer_ = now + interval();
    } else if (priority > config_.priority || (priority == config_.priority && source > primary_)) {
      active_adver_interval_ = advertisement.interval;
      timer_ = now + vrrp::active_down_interval(config_.priority, active_adver_interval_);
      change(StateName::backup);
    } else {
      send(config_.priority);
    }
  }
}

void PlainRouter::send(vrrp::Priority priority) {
  vrrp::Advertisement advertisement;
  advertisement.vrid = config_.key.vrid;
  advertisement.priority = priority;
  advertisement.interval = config_.advertisement_interval;
  for (const auto& prefix : config_.addresses) advertisement.addresses.push_back(prefix.address);
  advertisement.checksum = config_.checksum == vrrp::ChecksumMode::pseudo_header
                               ? vrrp::ChecksumForm::pseudo_header
                               : vrrp::ChecksumForm::rfc9568;
  effects_.send(vrrp::encode(advertisement, primary_, vrrp::multicast_group(config_.key.family)));
}

void PlainRouter::change(StateName to) {
  const auto from = std::exchange(state_, to);
  if (from != to) effects_.changed(from, to);
}

}  // namespace vipd::scenarios
