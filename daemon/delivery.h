// Delivery: sends events to a webhook or by mail, with libcurl, in the monitor. In order, and one request at
// a time for each of them; what fails is tried again after growing pauses, for ten minutes, and then given up
// and told; that something does not work is told after a few attempts, and when it works again. Bounded: the
// oldest events go, and are counted. Mails that fall together are one.
//
// It never waits: CurlMulti has the sockets. What it sends to need not answer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "daemon/log.h"
#include "daemon/messages.h"
#include "events/event.h"
#include "health/curl_multi.h"

namespace vipd::daemon {

// "sha256=" and the HMAC-SHA256 of the body in hexadecimal digits: the header X-Vipd-Signature.
std::string webhook_signature(const std::string& secret, const std::string& body);

// Whole, with its head; lines end with CR LF. host: who sends it.
std::string mail_text(const events::Mail& mail, const std::vector<events::Event>& events,
                      const std::string& host);

// How long to wait before attempt `attempt` (the first one is 0): 1 s, 2 s, 4 s ... 60 s.
Duration retry_pause(int attempt);

class Deliveries {
 public:
  static constexpr std::size_t most_waiting = 256;  // events, for each webhook and mail address

  using Tell = std::function<void(std::string_view name, std::string text, events::Fields fields)>;

  Deliveries(Log& log, health::CurlMulti& curl, Tell tell);
  ~Deliveries();

  // A reload: those that stay as they are go on with what waits.
  void replace(const DeliverySettings& settings);
  void push(const events::Event& event, TimePoint now);

  void step(TimePoint now);
  TimePoint next_deadline() const;

 private:
  class Delivery;

  Log& log_;
  health::CurlMulti& curl_;
  Tell tell_;
  std::list<std::unique_ptr<Delivery>> deliveries_;
};

}  // namespace vipd::daemon
