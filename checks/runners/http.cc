#include "checks/runners/http.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/words.h"
#include "checks/runners/curl_handles.h"
#include "checks/runners/runners.h"
#include "checks/settings/http_settings.h"
#include "checks/wording.h"

namespace vipd::checks {

namespace {

constexpr std::size_t most_body = 1 << 20;

// Options of libcurl 7.87, by number so that older headers suffice; an older library rejects them, which is
// harmless.
constexpr auto option_ca_cache_timeout = static_cast<CURLoption>(CURLOPTTYPE_LONG + 321);
constexpr long ca_cache_seconds = 60;  // as TlsContexts

struct Phrase {
  int status;
  std::string_view words;
};
// For people. HTTP/2 has no such phrases, and a server may send any text in their place.
constexpr std::array<Phrase, 21> phrases{{{200, "OK"},
                                          {201, "Created"},
                                          {202, "Accepted"},
                                          {204, "No Content"},
                                          {206, "Partial Content"},
                                          {301, "Moved Permanently"},
                                          {302, "Found"},
                                          {303, "See Other"},
                                          {304, "Not Modified"},
                                          {307, "Temporary Redirect"},
                                          {308, "Permanent Redirect"},
                                          {400, "Bad Request"},
                                          {401, "Unauthorized"},
                                          {403, "Forbidden"},
                                          {404, "Not Found"},
                                          {405, "Method Not Allowed"},
                                          {429, "Too Many Requests"},
                                          {500, "Internal Server Error"},
                                          {502, "Bad Gateway"},
                                          {503, "Service Unavailable"},
                                          {504, "Gateway Timeout"}}};

std::string status_in_words(long status) {
  std::string text = std::to_string(status);
  for (const auto& phrase : phrases)
    if (phrase.status == status) text += " " + std::string(phrase.words);
  return text;
}

class HttpAttempt : public Attempt, private CurlMulti::Transfer {
 public:
  HttpAttempt(const HttpSettings& settings, Context& context, Done done)
      : settings_(settings), context_(context), done_(std::move(done)), started_(context.clock()) {}

  ~HttpAttempt() override {
    if (!running_) return;
    // A connection of HTTP/2 would outlive its stream, and the next attempt might use it and wait again.
    set(CURLOPT_FORBID_REUSE, 1L);
    context_.curl.remove(easy_.get());
  }

  void start() {
    const auto& endpoint = settings_.url.endpoint;
    if (endpoint.literal) return transfer({});
    lookup_ = context_.resolver.resolve(endpoint.host, [this](Result<std::vector<IpAddress>> found) {
      if (found) return transfer(*found);
      answer({.healthy = false, .detail = found.error().message, .latency = context_.clock() - started_});
    });
  }

  std::string doing() const override {
    const auto peer = to_string(settings_.url.endpoint);
    if (!easy_) return "while resolving " + settings_.url.endpoint.host;
    const bool ready = info(settings_.url.tls ? CURLINFO_APPCONNECT_TIME_T : CURLINFO_CONNECT_TIME_T) != 0;
    if (!ready) return (is_connected() ? "in the TLS handshake with " : "while connecting to ") + peer;
    if (info(CURLINFO_STARTTRANSFER_TIME_T) == 0) return "while waiting for an answer";
    return "while reading the answer";
  }

 private:
  void transfer(const std::vector<IpAddress>& addresses) {
    resolved_ = context_.clock();
    easy_.reset(curl_easy_init());
    if (!easy_) return answer({.conclusive = false, .detail = "no memory for a request"});
    set_target(addresses);
    set_request();
    if (settings_.url.tls) set_tls();
    running_ = true;
    context_.curl.add(easy_.get());
  }

  template <class Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  // Where to connect, and under which name: libcurl takes SNI and the name in the certificate from the URL,
  // so the URL contains that name and CONNECT_TO the actual endpoint.
  void set_target(const std::vector<IpAddress>& addresses) {
    const auto& [tls, endpoint, target] = settings_.url;
    Endpoint named = endpoint;
    if (tls) named.host = name_for_tls();
    const auto url = (tls ? "https://" : "http://") + to_string(named) + target;
    set(CURLOPT_URL, url_with_zone(url).c_str());
    if (named.host != endpoint.host) connect_to_.add(to_string(named) + ":" + to_string(endpoint));
    if (connect_to_.get()) set(CURLOPT_CONNECT_TO, connect_to_.get());
    if (addresses.empty()) return;
    std::string resolve = to_string(endpoint) + ":";
    for (const auto& address : addresses) {
      if (!resolve.ends_with(':')) resolve += ',';
      resolve += address.family == Family::ipv6 ? "[" + to_string(address) + "]" : to_string(address);
    }
    resolve_.add(resolve);
    set(CURLOPT_RESOLVE, resolve_.get());
  }

  std::string name_for_tls() const {
    if (!settings_.tls.server_name.empty()) return settings_.tls.server_name;
    if (settings_.host.empty()) return settings_.url.endpoint.host;
    return parse_endpoint(settings_.host, std::uint16_t{443}).value_or(settings_.url.endpoint).host;
  }

  // In a URL the percent sign of a zone is escaped (RFC 6874).
  std::string url_with_zone(std::string url) const {
    const auto& host = settings_.url.endpoint.host;
    if (const auto zone = host.find('%'); zone != std::string::npos)
      if (const auto at = url.find(host); at != std::string::npos) url.insert(at + zone + 1, "25");
    return url;
  }

  void set_request() {
    const auto& endpoint = settings_.url.endpoint;
    const bool usual_port = endpoint.port == (settings_.url.tls ? 443 : 80);
    const auto url_host =
        Endpoint{endpoint.host.substr(0, endpoint.host.find('%')), endpoint.port, endpoint.literal};
    headers_.add("Host: " + (!settings_.host.empty() ? settings_.host
                             : usual_port            ? host_in_url(url_host)
                                                     : to_string(url_host)));
    if (!settings_.reuse) headers_.add("Connection: close");
    // libcurl sends a header without a value for "Name;", and removes the header for "Name:".
    for (const auto& [name, value] : settings_.headers)
      headers_.add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_USERAGENT, "vipd");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    if (settings_.head) set(CURLOPT_NOBODY, 1L);
    set(CURLOPT_PATH_AS_IS, 1L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_NOSIGNAL, 1L);
    // A check must prove that connecting works.
    set(CURLOPT_FRESH_CONNECT, settings_.reuse ? 0L : 1L);
    set(CURLOPT_FORBID_REUSE, settings_.reuse ? 0L : 1L);
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_OPENSOCKETFUNCTION, &HttpAttempt::open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_SOCKOPTFUNCTION, &HttpAttempt::socket_opened);
    set(CURLOPT_SOCKOPTDATA, this);
    set(CURLOPT_WRITEFUNCTION, &HttpAttempt::body_came);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_PRIVATE, static_cast<CurlMulti::Transfer*>(this));
  }

  void set_tls() {
    const auto& tls = settings_.tls;
    set(CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
    set(CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
    // With a resumed session the server would not present its certificate, which may have expired since.
    set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    set(option_ca_cache_timeout, ca_cache_seconds);
    if (!tls.ca_file.empty()) {
      set(CURLOPT_CAINFO, tls.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (tls.cert_file.empty()) return;
    set(CURLOPT_SSLCERT, tls.cert_file.c_str());
    set(CURLOPT_SSLKEY, tls.key_file.c_str());
  }

  // As libcurl's own function, which does not report why it failed.
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    static_cast<HttpAttempt*>(self)->socket_error_ = fd < 0 ? errno : 0;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
  }

  static int socket_opened(void* self, curl_socket_t socket, curlsocktype) {
    static_cast<HttpAttempt*>(self)->socket_ = socket;
    return CURL_SOCKOPT_OK;
  }

  // libcurl reports the time of the connection only after the handshake.
  bool is_connected() const {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    return socket_ >= 0 && ::getpeername(socket_, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
  }

  static std::size_t body_came(const char* data, std::size_t, std::size_t size, void* self) {
    return static_cast<HttpAttempt*>(self)->take_body({data, size}) ? size : 0;
  }

  // Searches, and keeps only what could be the beginning of a match. False: nothing more needs to be read.
  bool take_body(std::string_view piece) {
    body_size_ += piece.size();
    const auto& wanted = settings_.body;
    if (!wanted.empty()) {
      tail_.append(piece);
      found_ = tail_.find(wanted) != std::string::npos;
      if (tail_.size() >= wanted.size()) tail_.erase(0, tail_.size() - (wanted.size() - 1));
    }
    stopped_ = found_ || body_size_ >= most_body;
    return !stopped_;
  }

  void finished(CURLcode code) override {
    running_ = false;
    const bool whole = code == CURLE_OK || (code == CURLE_WRITE_ERROR && stopped_);
    const auto latency = (resolved_ - started_) + std::chrono::microseconds(info(CURLINFO_TOTAL_TIME_T));
    auto verdict = whole ? judge(latency) : no_answer(code);
    verdict.latency = latency;
    answer(std::move(verdict));
  }

  Verdict no_answer(CURLcode code) const {
    if (code == CURLE_COULDNT_CONNECT && is_exhaustion(socket_error_))
      return {.conclusive = false,
              .detail = std::string("creating a socket: ") + std::strerror(socket_error_)};
    return {.conclusive = code != CURLE_OUT_OF_MEMORY, .detail = describe(code)};
  }

  Verdict judge(Duration latency) const {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    if (!settings_.status.contains(static_cast<int>(status))) {
      const char* elsewhere = nullptr;
      curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &elsewhere);
      return {.detail = "status " + status_in_words(status) + (elsewhere ? " to " + quote(elsewhere) : "") +
                        ", expected " + to_string(settings_.status)};
    }
    const auto answered = status_in_words(status) + " in " + in_words(latency);
    if (!settings_.body.empty() && !found_)
      return {.detail = answered + ", but " + (stopped_ ? "the first 1 MiB of " : "") +
                        "the body does not contain " + quote(settings_.body)};
    return {.healthy = true, .detail = answered};
  }

  std::string describe(CURLcode code) const {
    const auto peer = to_string(settings_.url.endpoint);
    const std::string words = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
    long os_code = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_code);
    switch (code) {
      case CURLE_COULDNT_CONNECT:
        return "connecting to " + peer + ": " +
               (os_code != 0 ? std::strerror(static_cast<int>(os_code)) : words);
      case CURLE_GOT_NOTHING: return peer + " closed the connection without an answer";
      case CURLE_PARTIAL_FILE: return "the answer was cut off: " + words;
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CERTPROBLEM:
      case CURLE_SSL_CACERT_BADFILE: return "TLS handshake with " + peer + ": " + words;
      default: return "asking " + peer + ": " + words;
    }
  }

  curl_off_t info(CURLINFO what) const {
    curl_off_t value = 0;
    curl_easy_getinfo(easy_.get(), what, &value);
    return value;
  }

  void answer(Verdict verdict) { done_(std::move(verdict)); }

  const HttpSettings& settings_;
  Context& context_;
  Done done_;
  TimePoint started_;
  TimePoint resolved_;
  std::unique_ptr<Resolver::Lookup> lookup_;
  CurlList connect_to_;
  CurlList resolve_;
  CurlList headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  CurlHandle easy_;  // uses all of the above
  bool running_ = false;
  curl_socket_t socket_ = CURL_SOCKET_BAD;  // the last one that was opened; libcurl's
  int socket_error_ = 0;                    // why the last one was not
  std::string tail_;                        // of the body so far
  std::size_t body_size_ = 0;
  bool found_ = false;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<Attempt> start_http(const CheckConfig&, const Settings& settings, Context& context,
                                    Done done) {
  auto attempt =
      std::make_unique<HttpAttempt>(static_cast<const HttpSettings&>(settings), context, std::move(done));
  attempt->start();
  return attempt;
}

}  // namespace vipd::checks
