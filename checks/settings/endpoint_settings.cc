#include "checks/settings/endpoint_settings.h"

#include <algorithm>
#include <charconv>

#include "base/ip.h"
#include "base/words.h"

namespace vipd::checks {

namespace {

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535)
    return failure("the port must be 1 to 65535, not " + quote(text));
  return static_cast<std::uint16_t>(port);
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_';
}

// fe80::1%eth0: link-local addresses need their interface, which IpAddress cannot hold.
bool is_address(std::string_view host) {
  return IpAddress::parse(host.substr(0, host.find('%'))).has_value();
}

Result<Endpoint> parse_host(std::string_view host, bool bracketed) {
  if (host.empty()) return failure("the host is missing");
  Endpoint endpoint{std::string(host), 0, is_address(host)};
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (bracketed && !(endpoint.literal && has_colon)) return failure(quote(host) + " is not an IPv6 address");
  if (endpoint.literal) {
    if (const auto zone = host.find('%');
        zone != std::string_view::npos && (!has_colon || zone + 1 == host.size()))
      return failure(quote(host) + " is not an address");
    return endpoint;
  }
  if (host.find_first_not_of("0123456789.") == std::string_view::npos)
    return failure(quote(host) + " is not an IPv4 address");
  if (!std::all_of(host.begin(), host.end(), is_name_character) || host.front() == '-' ||
      host.front() == '.' || host.find("..") != std::string_view::npos || host.size() > 253)
    return failure(quote(host) + " is neither an address nor a host name");
  return endpoint;
}

}  // namespace

std::string host_in_url(const Endpoint& endpoint) {
  return endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]";
}

std::string to_string(const Endpoint& endpoint) {
  return host_in_url(endpoint) + ":" + std::to_string(endpoint.port);
}

Result<Endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> default_port) {
  std::string_view host;
  std::string_view rest;  // ":port" or nothing
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const auto close = text.find(']');
    if (close == std::string_view::npos)
      return failure(quote(text) + " has no closing bracket: write [ADDRESS]:PORT");
    host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
  } else {
    if (std::count(text.begin(), text.end(), ':') > 1)
      return failure(quote(text) + " is ambiguous: write an IPv6 address in brackets, such as [::1]:80");
    const auto colon = std::min(text.find(':'), text.size());
    host = text.substr(0, colon);
    rest = text.substr(colon);
  }
  auto endpoint = TRY(parse_host(host, bracketed));
  if (rest.empty()) {
    if (!default_port) return failure(quote(text) + " has no port: write " + host_in_url(endpoint) + ":PORT");
    endpoint.port = *default_port;
    return endpoint;
  }
  if (rest.front() != ':')
    return failure(quote(text) +
                   " has extra characters between the address and the port: write [ADDRESS]:PORT");
  endpoint.port = TRY(parse_port(rest.substr(1)));
  return endpoint;
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else if (rest.starts_with("https://")) {
    rest.remove_prefix(8);
    url.tls = true;
  } else {
    return failure(quote(text) + " is not a URL that starts with http:// or https://");
  }
  // The URL becomes part of a request, so it must not contain a character that ends a line or a token there.
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; }))
    return failure(quote(text) + " contains a character that must be written as %XX in a URL");
  if (text.find('#') != std::string_view::npos)
    return failure(quote(text) + " has a #fragment, which clients never send: remove it");
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  auto authority = std::string(rest.substr(0, end));
  if (authority.find('@') != std::string::npos)
    return failure(quote(text) + " contains a user name: send it with headers: {Authorization: ...}");
  if (const auto zone = authority.find("%25"); zone != std::string::npos)
    authority.erase(zone + 1, 2);  // RFC 6874
  url.endpoint = TRY(parse_endpoint(authority, url.tls ? 443 : 80));
  url.target = std::string(rest.substr(end));
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

}  // namespace vipd::checks
