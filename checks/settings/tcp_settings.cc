#include "checks/settings/tcp_settings.h"

namespace vipd::checks {

namespace {

constexpr std::size_t longest_text = 4096;

std::string read_text(Reader& reader, std::string_view key) {
  auto text = reader.text(key).value_or("");
  if (reader.has(key) && text.size() > longest_text)
    reader.error(key, std::string(key) + " has " + std::to_string(text.size()) + " bytes, but the limit is " +
                          std::to_string(longest_text));
  return text;
}

}  // namespace

std::unique_ptr<Settings> read_tcp(Reader& reader) {
  auto settings = std::make_unique<TcpSettings>();
  reader.required("tcp");
  if (const auto text = reader.text("tcp")) {
    if (auto endpoint = parse_endpoint(*text))
      settings->endpoint = std::move(*endpoint);
    else
      reader.error("tcp", endpoint.error().message);
  }
  settings->send = read_text(reader, "send");
  if (const Node* expect = reader.child("expect"); expect && expect->type == Node::Type::map)
    reader.error("expect", "expect of a tcp check must be a string, not a map",
                 "write expect: TEXT, and latency beside it");
  else
    settings->expect = read_text(reader, "expect");
  settings->latency = reader.duration("latency", least_latency, most_latency);
  if (const Node* tls = reader.child("tls")) {
    if (tls->type == Node::Type::scalar && !tls->quoted && tls->scalar == "false") return settings;
    settings->tls = read_tls(reader);
  }
  return settings;
}

}  // namespace vipd::checks
