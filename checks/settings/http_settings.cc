#include "checks/settings/http_settings.h"
#include "base/words.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace vipd::checks {

namespace {

std::optional<int> parse_status(std::string_view text) {
  int status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (text.size() != 3 || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (status < 100 || status > 599) return std::nullopt;
  return status;
}

// "200" or "200-299".
std::optional<std::pair<int, int>> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_status(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_status(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return std::pair{*first, *last};
}

void read_status_code(const Node& node, StatusSet& set, Diagnostics& diagnostics) {
  const auto range = node.type == Node::Type::scalar ? parse_range(node.scalar) : std::nullopt;
  if (range)
    set.ranges.push_back(*range);
  else
    diagnostics.error(node.place,
                      node.type == Node::Type::scalar
                          ? "status must be a code from 100 to 599 or an ascending range of codes, not " +
                                quote(node.scalar)
                          : std::string("status must be a code, a range of codes or a list of them"),
                      "write 200, 200-299 or [200, 204, 300-399]");
}

StatusSet read_status(const Node& node, Diagnostics& diagnostics) {
  StatusSet set;
  if (node.type != Node::Type::sequence) {
    read_status_code(node, set, diagnostics);
  } else if (node.items.empty()) {
    diagnostics.error(node.place, "status is an empty list: no answer would pass the check");
  } else {
    for (const auto& item : node.items) read_status_code(item, set, diagnostics);
  }
  return set;
}

void read_expect(Reader& check, HttpSettings& settings) {
  const Node* node = check.child("expect");
  if (!node) return;
  Reader expect(*node, check.diagnostics(), "expect of " + check.what());
  if (const Node* status = expect.child("status"))
    settings.status = read_status(*status, check.diagnostics());
  if (auto body = expect.text("body")) {
    if (body->empty()) expect.error("body", "body is empty: every answer would match");
    settings.body = std::move(*body);
  }
  settings.latency = expect.duration("latency", least_latency, most_latency);
  expect.finish();
}

// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f; });
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// Headers that the client writes itself; a second one would make the request ambiguous.
constexpr std::array<std::string_view, 4> client_headers{"connection", "content-length", "transfer-encoding",
                                                         "upgrade"};

void read_headers(Reader& check, HttpSettings& settings) {
  const Node* node = check.child("headers");
  if (!node) return;
  auto& diagnostics = check.diagnostics();
  if (node->type != Node::Type::map) {
    diagnostics.error(node->place, "headers must be a map", "write headers: {NAME: VALUE}");
    return;
  }
  for (const auto& [key, place, value] : node->entries) {
    const auto name = lower(key);
    if (!is_token(key)) {
      diagnostics.error(place, quote(key) + " is not a valid header name");
    } else if (name == "host") {
      diagnostics.error(place, "the Host header has its own key", "write host: NAME beside http");
    } else if (std::find(client_headers.begin(), client_headers.end(), name) != client_headers.end()) {
      diagnostics.error(place, "the check sets the header " + key + " itself", "remove it");
    } else if (value.type != Node::Type::scalar || !is_header_value(value.scalar)) {
      diagnostics.error(value.place, "the header " + key + " must be one line of text");
    } else {
      settings.headers.emplace_back(key, value.scalar);
    }
  }
}

void read_method(Reader& check, HttpSettings& settings) {
  static constexpr std::array<Reader::Choice<bool>, 2> methods{{{"GET", false}, {"HEAD", true}}};
  settings.head = check.choice<bool>("method", methods).value_or(false);
  if (settings.head && !settings.body.empty())
    check.error("method", "the answer to HEAD has no body, but expect requires one", "use method: GET");
}

}  // namespace

bool StatusSet::contains(int status) const {
  return std::any_of(ranges.begin(), ranges.end(),
                     [status](const auto& range) { return range.first <= status && status <= range.second; });
}

std::string to_string(const StatusSet& set) {
  std::string text;
  for (std::size_t i = 0; i < set.ranges.size(); ++i) {
    if (i > 0) text += i + 1 == set.ranges.size() ? " or " : ", ";
    const auto& [first, last] = set.ranges[i];
    text += std::to_string(first);
    if (last != first) text += "-" + std::to_string(last);
  }
  return text;
}

std::unique_ptr<Settings> read_http(Reader& reader) {
  auto settings = std::make_unique<HttpSettings>();
  reader.required("http");
  if (const auto text = reader.text("http")) {
    if (auto url = parse_url(*text))
      settings->url = std::move(*url);
    else
      reader.error("http", url.error().message);
  }
  read_expect(reader, *settings);
  read_headers(reader, *settings);
  read_method(reader, *settings);
  if (auto host = reader.text("host")) {
    if (const auto endpoint = parse_endpoint(*host, 80); !endpoint)
      reader.error("host", "host must be a host name with an optional port, not " + quote(*host));
    else
      settings->host = std::move(*host);
  }
  settings->reuse = reader.boolean("reuse").value_or(false);
  settings->tls = read_tls(reader);
  if (reader.has("tls") && !settings->url.tls && !settings->url.endpoint.host.empty())
    reader.error("tls", "tls is set, but the URL is not https");
  return settings;
}

}  // namespace vipd::checks
