// The endpoint that a check connects to: an address or a name, and a port. Also the URL of an HTTP check,
// which contains one.
//
// Parsing only. Names are resolved where the check runs, at each attempt (checks/runners/resolver).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vipd::checks {

struct Endpoint {
  std::string host;  // without brackets: "192.0.2.1", "2001:db8::1", "fe80::1%eth0" or a name
  std::uint16_t port = 0;
  bool literal = false;  // host is an address, nothing to resolve
  bool operator==(const Endpoint&) const = default;
};

std::string host_in_url(const Endpoint& endpoint);  // an IPv6 address in brackets
std::string to_string(const Endpoint& endpoint);    // "192.0.2.1:80", "[2001:db8::1]:80"

// "127.0.0.1:6379", "[::1]:6379", "db.example.net:3306". A missing port is an error unless there is a
// default.
Result<Endpoint> parse_endpoint(std::string_view text,
                                std::optional<std::uint16_t> default_port = std::nullopt);

struct Url {
  bool tls = false;
  Endpoint endpoint;
  std::string target = "/";  // path and query
  bool operator==(const Url&) const = default;
};

// "http://127.0.0.1/healthz", "https://[::1]:8443/x?y=z".
Result<Url> parse_url(std::string_view text);

}  // namespace vipd::checks
