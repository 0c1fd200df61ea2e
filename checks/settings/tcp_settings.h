// The settings of a TCP check:
//
//     tcp: 127.0.0.1:6379            # [::1]:6379, or a name
//     send: "PING\r\n"               # after connecting; "..." so that YAML reads the escapes
//     expect: PONG                   # text that the answer must contain
//     latency: 50ms
//     tls: {verify: true, ca_file: PATH, server_name: NAME, cert_file: PATH, key_file: PATH}
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "checks/settings/check.h"
#include "checks/settings/endpoint_settings.h"
#include "checks/settings/tls_settings.h"

namespace vipd::checks {

struct TcpSettings : Settings {
  Endpoint endpoint;
  std::string send;
  std::string expect;  // empty: being connected (and the TLS handshake) is enough
  std::optional<TlsSettings> tls;
};

std::unique_ptr<Settings> read_tcp(Reader& reader);

}  // namespace vipd::checks
