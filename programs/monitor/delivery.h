// Delivery: sends events to a webhook or by mail, with libcurl, in the monitor. In order, and one request at
// a time for each of them. A failure is retried after growing pauses for ten minutes; then the event is given
// up, which is reported. A destination that does not work is reported after a few attempts, and again when it
// works. Bounded: the oldest events are dropped and counted. Events of one moment are one mail.
//
// It never waits: CurlMulti has the sockets, and a destination need not answer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "checks/runners/curl_multi.h"
#include "events/event.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/log.h"

namespace vipd::programs {

// "sha256=" and the HMAC-SHA256 of the body in hexadecimal digits: the header X-Vipd-Signature.
std::string webhook_signature(const std::string& secret, const std::string& body);

// Complete, with its headers; lines end with CR LF. host: the sender.
std::string mail_text(const events::Mail& mail, const std::vector<events::Event>& events,
                      const std::string& host);

// How long to wait before attempt `attempt` (the first one is 0): 1 s, 2 s, 4 s ... 60 s.
Duration retry_pause(int attempt);

class Deliveries {
 public:
  static constexpr std::size_t most_waiting = 256;  // events, for each webhook and mail address

  using Tell = std::function<void(std::string_view name, std::string text, events::Fields fields)>;

  Deliveries(Log& log, checks::CurlMulti& curl, Tell tell);
  ~Deliveries();

  // A reload: unchanged destinations keep their waiting events.
  void replace(const DeliverySettings& settings);
  void push(const events::Event& event, TimePoint now);

  void step(TimePoint now);
  TimePoint next_deadline() const;

 private:
  class Delivery;

  Log& log_;
  checks::CurlMulti& curl_;
  Tell tell_;
  std::list<std::unique_ptr<Delivery>> deliveries_;
};

}  // namespace vipd::programs
