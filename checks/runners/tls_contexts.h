// TlsContexts: OpenSSL's contexts for the checks that use TLS themselves (HTTP leaves it to libcurl).
//
// Loading a bundle of certificate authorities takes milliseconds, so checks with the same files share a
// context. Contexts are made anew once a minute, so that replaced files are noticed.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "base/result.h"
#include "base/time.h"
#include "checks/settings/endpoint_settings.h"
#include "checks/settings/tls_settings.h"

namespace vipd::checks {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslFree>;

class TlsContexts {
 public:
  explicit TlsContexts(std::function<TimePoint()> clock) : clock_(std::move(clock)) {}

  // The client's side of a connection to `endpoint`; the caller sets its descriptor.
  Result<Ssl> connection(const TlsSettings& settings, const Endpoint& endpoint);

 private:
  using Key = std::tuple<bool, std::string, std::string, std::string>;
  struct Made {
    std::shared_ptr<SSL_CTX> context;
    TimePoint when;
  };
  Result<std::shared_ptr<SSL_CTX>> context(const TlsSettings& settings);

  std::function<TimePoint()> clock_;
  std::map<Key, Made> made_;
};

// The reason why a TLS operation on the connection has just failed: "certificate verify failed: self-signed
// certificate". Empties OpenSSL's error queue.
std::string tls_trouble(const SSL* ssl);

}  // namespace vipd::checks
