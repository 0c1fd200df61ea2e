// The settings of an HTTP or HTTPS check:
//
//     http: https://127.0.0.1:8443/healthz    # decides between http and https
//     expect: {status: [200, 204, 300-399], body: ready, latency: 500ms}
//     host: www.example.net                   # Host header
//     method: GET                             # or HEAD
//     headers: {X-Probe: vipd}
//     reuse: false                            # true: keep the connection between attempts
//     tls: {verify: true, ca_file: PATH, server_name: NAME, cert_file: PATH, key_file: PATH}
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checks/settings/check.h"
#include "checks/settings/endpoint_settings.h"
#include "checks/settings/tls_settings.h"

namespace vipd::checks {

// The status codes with which the check passes.
struct StatusSet {
  std::vector<std::pair<int, int>> ranges;  // first and last, inclusive
  bool contains(int status) const;
  bool operator==(const StatusSet&) const = default;
};
std::string to_string(const StatusSet& set);  // "200", "200, 204 or 300-399"

struct HttpSettings : Settings {
  Url url;
  StatusSet status{{{200, 200}}};
  std::string body;  // text that the answer must contain; empty: any
  std::string host;  // Host header; empty: the URL's
  bool head = false;
  std::vector<std::pair<std::string, std::string>> headers;
  bool reuse = false;
  TlsSettings tls;
};

std::unique_ptr<Settings> read_http(Reader& reader);

}  // namespace vipd::checks
