#include "conf/yaml_writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::conf {

namespace {
// Whether YAML reads the plain text as the same text. Numbers and booleans are left to the Reader.
bool is_plain(std::string_view text) {
  const auto is_word = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9');
  };
  if (text.empty() || text == "null" || text == "Null" || text == "NULL") return false;
  const bool negative_number = text.size() > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9';
  if (!is_word(text[0]) && text[0] != '/' && !negative_number) return false;
  if (text.ends_with(':')) return false;
  return std::all_of(text.begin(), text.end(), [&](char each) {
    return is_word(each) || std::string_view("_-./:+=@%&").find(each) != std::string_view::npos;
  });
}

std::string in_double_quotes(std::string_view text) {
  std::string quoted = "\"";
  for (const char each : text) {
    const auto octet = static_cast<unsigned char>(each);
    if (each == '"' || each == '\\')
      (quoted += '\\') += each;
    else if (each == '\n')
      quoted += "\\n";
    else if (each == '\t')
      quoted += "\\t";
    else if (each == '\r')
      quoted += "\\r";
    else if (octet < 0x20 || octet == 0x7f)
      quoted += fmt::format("\\x{:02x}", octet);
    else
      quoted += each;
  }
  return quoted + "\"";
}

// A list or a small map on one line, as it follows "key: " or "- ".
std::string in_flow(const Node& node) {
  std::string text;
  switch (node.type) {
    case Node::Type::null: return "null";
    case Node::Type::scalar: return yaml_scalar(node);
    case Node::Type::sequence:
      for (const auto& item : node.items) text += (text.empty() ? "" : ", ") + in_flow(item);
      return "[" + text + "]";
    case Node::Type::map:
      for (const auto& entry : node.entries)
        text += (text.empty() ? "" : ", ") + yaml_scalar(entry.key) + ": " + in_flow(entry.value);
      return "{" + text + "}";
  }
  return text;
}
}  // namespace

std::string yaml_scalar(const Node& scalar) {
  return scalar.quoted ? in_double_quotes(scalar.scalar) : yaml_scalar(scalar.scalar);
}

std::string yaml_scalar(std::string_view text) {
  return is_plain(text) ? std::string(text) : in_double_quotes(text);
}

std::string yaml_map(const Node& map, int indentation) {
  constexpr std::size_t widest_flow = 80;
  std::string text;
  for (const auto& entry : map.entries) {
    text += fmt::format("{:{}}{}:", "", indentation, yaml_scalar(entry.key));
    const auto flow = in_flow(entry.value);
    if (flow.size() <= widest_flow || entry.value.type == Node::Type::scalar) {
      text += " " + flow + "\n";
    } else if (entry.value.type == Node::Type::map) {
      text += "\n" + yaml_map(entry.value, indentation + 2);
    } else {
      text += "\n";
      for (const auto& item : entry.value.items)
        text += fmt::format("{:{}}- {}\n", "", indentation + 2, in_flow(item));
    }
  }
  return text;
}

}  // namespace vipd::conf
