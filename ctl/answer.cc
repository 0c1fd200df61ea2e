#include "ctl/answer.h"

#include <cerrno>
#include <nlohmann/json.hpp>

namespace vipd::ctl {

using nlohmann::json;

namespace {
constexpr std::string_view no_reason = "vipd refused without giving a reason: see its log";

std::string reason_in(const json& reply) {
  const auto reason = part(reply, "error");
  return reason.is_string() ? reason.get<std::string>() : std::string(no_reason);
}
}  // namespace

Result<json> parse_reply(const std::string& line) {
  auto reply = json::parse(line, nullptr, false);
  if (!reply.is_object())
    return failure("the answer of vipd is not a JSON object: use the vipctl that belongs to the running vipd",
                   EPROTO);
  if (!truth(reply, "permitted", true)) {
    const auto reason = part(reply, "error");
    return failure(reason.is_string() ? reason.get<std::string>() : "permission denied", EPERM);
  }
  if (!truth(reply, "ok")) return failure(reason_in(reply));
  return part(reply, "result");
}

json parse_event(const std::string& line) {
  const auto message = json::parse(line, nullptr, false);
  const auto& event = part(message, "event");
  return event.is_object() ? event : json(nullptr);
}

// C0, DEL, and C1 in UTF-8 (C2 80 to C2 9F).
std::string printable(std::string text, LineBreaks breaks) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto octet = static_cast<unsigned char>(text[i]);
    if (octet == '\n' && breaks == LineBreaks::stay) continue;
    if (octet < 0x20 || octet == 0x7f) text[i] = octet == '\n' || octet == '\t' ? ' ' : '?';
    if (octet == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      text.replace(i, 2, "?");
  }
  return text;
}

const json& part(const json& object, std::string_view key) {
  static const json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

const json& list(const json& object, std::string_view key) {
  static const json empty = json::array();
  const auto& found = part(object, key);
  return found.is_array() ? found : empty;
}

std::string text(const json& value) {
  return value.is_string() ? printable(value.get<std::string>()) : std::string();
}

std::string text(const json& object, std::string_view key) {
  return text(part(object, key));
}

double number(const json& object, std::string_view key) {
  const auto& found = part(object, key);
  return found.is_number() ? found.get<double>() : 0;
}

std::int64_t whole(const json& object, std::string_view key) {
  const auto& found = part(object, key);
  return found.is_number_integer() ? found.get<std::int64_t>() : 0;
}

bool truth(const json& object, std::string_view key, bool otherwise) {
  const auto& found = part(object, key);
  return found.is_boolean() ? found.get<bool>() : otherwise;
}

}  // namespace vipd::ctl
