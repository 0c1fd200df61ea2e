#include "programs/monitor/delivery.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "checks/runners/curl_handles.h"
#include "events/catalogue.h"
#include "events/line.h"
#include "events/names.h"
#include "programs/common/clock.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr Duration longest_pause = 60s;
constexpr Duration longest_trial = 10min;
constexpr int failures_until_told = 3;
constexpr Duration collecting = 1s;  // events within this time are one mail
constexpr std::size_t most_in_a_mail = 100;
constexpr std::size_t longest_subject = 150;

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "localhost";
}

// A header has one line, in ASCII.
std::string for_head(std::string text) {
  for (auto& each : text)
    if (each < ' ' || each > '~') each = '?';
  return text.substr(0, longest_subject);
}

// The body of a mail has no lone CR or LF.
std::string for_body(const std::string& text) {
  std::string lines;
  for (const char each : text)
    if (each == '\n')
      lines += "\r\n    ";
    else if (each != '\r')
      lines += each;
  return lines;
}

// The answer of a server is discarded, and bounded.
std::size_t forget(char*, std::size_t size, std::size_t count, void* seen) {
  constexpr std::size_t most = 1 << 20;
  auto& total = *static_cast<std::size_t*>(seen);
  total += size * count;
  return total > most ? 0 : size * count;
}
}  // namespace

std::string webhook_signature(const std::string& secret, const std::string& body) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
  std::string text = "sha256=";
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest.at(i));
  return text;
}

std::string mail_text(const events::Mail& mail, const std::vector<events::Event>& events,
                      const std::string& host) {
  const auto& last = events.back();
  std::string to;
  for (const auto& each : mail.to) to += (to.empty() ? "" : ", ") + each;
  const auto time = std::chrono::system_clock::to_time_t(last.time);
  const auto who = last.router.empty() ? last.name : last.router;
  auto subject = fmt::format("{} vipd on {}: {}: {}", to_string(last.severity), host, who, last.text);
  if (events.size() > 1) subject = fmt::format("{} (and {} more)", subject.substr(0, 120), events.size() - 1);
  auto text = fmt::format(
      "From: {}\r\nTo: {}\r\nSubject: {}\r\nDate: {:%a, %d %b %Y %H:%M:%S} +0000\r\nMessage-ID: <{}@{}>\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
      "Auto-Submitted: auto-generated\r\n\r\n",
      mail.from, to, for_head(subject), fmt::gmtime(time), for_head(last.id), for_head(host));
  for (const auto& event : events) {
    text += fmt::format("{} {} {}\r\n", events::rfc3339(event.time), to_string(event.severity), event.name);
    if (!event.router.empty())
      text += fmt::format("    {}{}{}\r\n", for_body(event.router), event.virtual_router.empty() ? "" : ", ",
                          for_body(event.virtual_router));
    text += fmt::format("    {}\r\n\r\n", for_body(event.text));
  }
  return text;
}

Duration retry_pause(int attempt) {
  Duration pause = 1s;
  for (int i = 1; i < attempt && pause < longest_pause; ++i) pause *= 2;
  return attempt == 0 ? Duration::zero() : std::min(pause, longest_pause);
}

// One webhook, or one group of mail addresses.
class Deliveries::Delivery final : private checks::CurlMulti::Transfer {
 public:
  Delivery(Deliveries& all, DeliverySettings::One settings) : all_(all), settings_(std::move(settings)) {}
  ~Delivery() {
    if (running_) all_.curl_.remove(easy_.get());
  }

  const DeliverySettings::One& settings() const { return settings_; }

  bool wants(const events::Event& event) const {
    if (!settings_.router.empty() && settings_.router != event.router) return false;
    return event.severity <= severity() || event.name == vrrp::events::state_changed;
  }

  void push(const events::Event& event, TimePoint now) {
    if (waiting_.empty() && !running_) next_ = now + (settings_.mail ? collecting : Duration::zero());
    waiting_.push_back(event);
    if (waiting_.size() <= most_waiting) return;
    // Events that are being sent are not removed.
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(running_ ? in_flight_ : 0));
    if (dropped_++ == 0)
      all_.tell_(events::hook_dropped, fmt::format("{} is too slow: it loses events", name()),
                 {{"hook", name()}});
  }

  void step(TimePoint now) {
    if (running_ || waiting_.empty() || now < next_) return;
    if (attempt_ == 0) first_try_ = now;
    in_flight_ = settings_.mail ? std::min(waiting_.size(), most_in_a_mail) : 1;
    if (const auto& file = secret_file(); !file.empty() && settings_.secret.empty())
      return failed(fmt::format("there is no secret in {}: write one and reload", file), true);
    easy_.reset(curl_easy_init());
    if (!easy_) return failed("no memory", true);
    seen_ = 0;
    sent_ = 0;
    set(CURLOPT_PRIVATE, static_cast<Transfer*>(this));
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_WRITEFUNCTION, &forget);
    set(CURLOPT_WRITEDATA, &seen_);
    set(CURLOPT_ERRORBUFFER, error_.data());
    error_.front() = '\0';
    const auto timeout = settings_.mail ? settings_.mail->timeout : settings_.webhook->timeout;
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout / 1ms));
    lists_ = std::make_unique<Lists>();
    if (settings_.mail)
      set_mail(*settings_.mail);
    else
      set_webhook(*settings_.webhook);
    running_ = true;
    all_.curl_.add(easy_.get());
  }

  TimePoint deadline() const { return running_ || waiting_.empty() ? never : next_; }

 private:
  struct Lists {
    checks::CurlList headers;
    checks::CurlList recipients;
  };

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  std::string name() const {
    const auto what =
        settings_.mail ? "mail by " + settings_.mail->smtp : "webhook " + settings_.webhook->url;
    return settings_.router.empty() ? what : what + " of " + settings_.router;
  }

  const std::string& secret_file() const {
    return settings_.mail ? settings_.mail->password_file : settings_.webhook->secret_file;
  }

  events::Severity severity() const {
    return settings_.mail ? settings_.mail->severity : settings_.webhook->severity;
  }

  void set_webhook(const events::Webhook& webhook) {
    const auto& event = waiting_.front();
    payload_ = events::to_line(event);
    lists_->headers.add("Content-Type: application/json");
    lists_->headers.add("X-Vipd-Event-Id: " + for_head(event.id));
    if (!settings_.secret.empty())
      lists_->headers.add("X-Vipd-Signature: " + webhook_signature(settings_.secret, payload_));
    set(CURLOPT_URL, webhook.url.c_str());
    set(CURLOPT_USERAGENT, "vipd/" VIPD_VERSION);
    set(CURLOPT_HTTPHEADER, lists_->headers.get());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(payload_.size()));
    set(CURLOPT_POSTFIELDS, payload_.c_str());
  }

  void set_mail(const events::Mail& mail) {
    payload_ = mail_text(mail, {waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(in_flight_)},
                         host_name());
    for (const auto& each : mail.to) lists_->recipients.add("<" + each + ">");
    set(CURLOPT_URL, mail.smtp.c_str());
    set(CURLOPT_MAIL_FROM, ("<" + mail.from + ">").c_str());
    set(CURLOPT_MAIL_RCPT, lists_->recipients.get());
    set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_TRY));
    if (!mail.user.empty()) {
      set(CURLOPT_USERNAME, mail.user.c_str());
      set(CURLOPT_PASSWORD, settings_.secret.c_str());
    }
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_READFUNCTION, &Delivery::give);
    set(CURLOPT_READDATA, this);
  }

  static std::size_t give(char* buffer, std::size_t size, std::size_t count, void* self) {
    auto& delivery = *static_cast<Delivery*>(self);
    const auto part = std::min(size * count, delivery.payload_.size() - delivery.sent_);
    delivery.payload_.copy(buffer, part, delivery.sent_);
    delivery.sent_ += part;
    return part;
  }

  void finished(CURLcode code) override {
    running_ = false;
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    const auto why =
        error_.front() != '\0' ? std::string(error_.data()) : std::string(curl_easy_strerror(code));
    const bool answered = status != 0;
    const bool web = settings_.webhook.has_value();
    const bool good = web ? code == CURLE_OK && status >= 200 && status < 300 : code == CURLE_OK;
    if (good) return delivered();
    // A permanent refusal is not retried.
    const bool again = web ? !answered || code != CURLE_OK || status >= 500 || status == 408 || status == 429
                           : status < 500 || code == CURLE_LOGIN_DENIED;
    failed(web && code == CURLE_OK ? fmt::format("status {}", status) : why, again);
  }

  void delivered() {
    failures_ = 0;
    done();
    if (std::exchange(told_, false))
      all_.tell_(events::hook_recovered, fmt::format("{} works again", name()), {{"hook", name()}});
  }

  void done() {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(in_flight_));
    attempt_ = 0;
    next_ = now();
    if (waiting_.empty()) dropped_ = 0;
  }

  void failed(const std::string& why, bool again) {
    const auto time = now();
    if (again && time - first_try_ < longest_trial) {
      const auto pause = retry_pause(++attempt_);
      next_ = time + pause;
      all_.log_.write_limited(Level::warning, name(),
                              fmt::format("{}: {}; retrying in {}", name(), why, in_words(pause)));
      return tell_trouble(why);
    }
    const auto count = in_flight_;
    done();
    all_.tell_(events::hook_failed,
               fmt::format("{}: {}; gave up {} event{}", name(), why, count, count == 1 ? "" : "s"),
               {{"hook", name()}});
  }

  // Once until it works again: by then the waiting events are late.
  void tell_trouble(const std::string& why) {
    if (++failures_ < failures_until_told || std::exchange(told_, true)) return;
    all_.tell_(
        events::hook_failed,
        fmt::format("{}: {}; {} attempts in a row have failed, so events are late; vipd retries each for {} "
                    "and then gives it up",
                    name(), why, failures_, in_words(longest_trial)),
        {{"hook", name()}});
  }

  Deliveries& all_;
  DeliverySettings::One settings_;
  std::deque<events::Event> waiting_;  // the ones being sent first
  std::size_t in_flight_ = 0;
  std::uint64_t dropped_ = 0;
  bool running_ = false;
  int attempt_ = 0;
  int failures_ = 0;   // in a row, whatever the event
  bool told_ = false;  // its failure has been reported
  TimePoint first_try_{};
  TimePoint next_{};
  std::string payload_;
  std::size_t sent_ = 0;
  std::size_t seen_ = 0;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::unique_ptr<Lists> lists_;
  checks::CurlHandle easy_;
};

Deliveries::Deliveries(Log& log, checks::CurlMulti& curl, Tell tell)
    : log_(log), curl_(curl), tell_(std::move(tell)) {}

Deliveries::~Deliveries() = default;

void Deliveries::replace(const DeliverySettings& settings) {
  std::list<std::unique_ptr<Delivery>> deliveries;
  for (const auto& one : settings.all) {
    const auto same = std::find_if(deliveries_.begin(), deliveries_.end(),
                                   [&](const auto& each) { return each && each->settings() == one; });
    deliveries.push_back(same != deliveries_.end() ? std::move(*same)
                                                   : std::make_unique<Delivery>(*this, one));
  }
  deliveries_ = std::move(deliveries);
}

void Deliveries::push(const events::Event& event, TimePoint now) {
  if (events::is_about_hooks(event.name)) return;
  for (const auto& delivery : deliveries_)
    if (delivery->wants(event)) delivery->push(event, now);
}

void Deliveries::step(TimePoint now) {
  for (const auto& delivery : deliveries_) delivery->step(now);
}

TimePoint Deliveries::next_deadline() const {
  TimePoint earliest = never;
  for (const auto& delivery : deliveries_) earliest = std::min(earliest, delivery->deadline());
  return earliest;
}

}  // namespace vipd::programs
