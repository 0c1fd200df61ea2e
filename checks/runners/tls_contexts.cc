#include "checks/runners/tls_contexts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace vipd::checks {

namespace {

constexpr Duration longest_life = std::chrono::minutes(1);

// The first error in the queue is the cause, the others are its consequences.
std::string queued_error() {
  const auto code = ERR_peek_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  std::string text = reason ? reason : "unknown error";
  if (code != 0 && ERR_SYSTEM_ERROR(code)) text = std::strerror(ERR_GET_REASON(code));
  ERR_clear_error();
  return text;
}

Result<> load_files(SSL_CTX* context, const TlsSettings& settings) {
  if (settings.verify) {
    const bool loaded = settings.ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(context) == 1
                            : SSL_CTX_load_verify_locations(context, settings.ca_file.c_str(), nullptr) == 1;
    const auto name =
        settings.ca_file.empty() ? std::string("the system's certificate authorities") : settings.ca_file;
    if (!loaded) return failure("reading " + name + ": " + queued_error());
  }
  if (settings.cert_file.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.c_str()) != 1)
    return failure("reading cert_file " + settings.cert_file + ": " + queued_error());
  if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failure("reading key_file " + settings.key_file + ": " + queued_error());
  return {};
}

}  // namespace

Result<std::shared_ptr<SSL_CTX>> TlsContexts::context(const TlsSettings& settings) {
  auto& made = made_[Key{settings.verify, settings.ca_file, settings.cert_file, settings.key_file}];
  const auto now = clock_();
  if (made.context && now - made.when < longest_life) return made.context;
  made.context.reset();
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (!context) return failure("creating a TLS context: " + queued_error());
  SSL_CTX_set_verify(context.get(), settings.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  TRY_VOID(load_files(context.get(), settings));
  made = {context, now};
  return context;
}

Result<Ssl> TlsContexts::connection(const TlsSettings& settings, const Endpoint& endpoint) {
  const auto shared = TRY(context(settings));
  Ssl ssl(SSL_new(shared.get()));
  if (!ssl) return failure("creating a TLS connection: " + queued_error());
  // Names are asked for and compared; an address is only compared (RFC 6066 section 3 has no SNI for it).
  const bool by_address = settings.server_name.empty() && endpoint.literal;
  const auto name =
      settings.server_name.empty() ? endpoint.host.substr(0, endpoint.host.find('%')) : settings.server_name;
  if (by_address || IpAddress::parse(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl.get(), name.c_str());
    SSL_set1_host(ssl.get(), name.c_str());
  }
  SSL_set_connect_state(ssl.get());
  return ssl;
}

std::string tls_trouble(const SSL* ssl) {
  const long verdict = SSL_get_verify_result(ssl);
  if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0 && verdict != X509_V_OK) {
    ERR_clear_error();
    return std::string("certificate verify failed: ") + X509_verify_cert_error_string(verdict);
  }
  return queued_error();
}

}  // namespace vipd::checks
