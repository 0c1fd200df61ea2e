#include "conf/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "conf/yaml.h"

namespace vipd::conf {

namespace {

constexpr std::string_view nodes_own = "NODE";

bool is_name(std::string_view text) {
  const auto is_letter = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_';
  };
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [&](char each) {
    return is_letter(each) || (each >= '0' && each <= '9');
  });
}

}  // namespace

void Variables::define(const Node& vars) {
  if (vars.type != Node::Type::map) {
    diagnostics_.error(vars.place, "vars must be a map of names and values",
                       "write \"NAME: value\" below it");
    return;
  }
  for (const auto& entry : vars.entries) {
    if (!is_name(entry.key) || entry.key == nodes_own) {
      diagnostics_.error(
          entry.key_place,
          entry.key == nodes_own ? "NODE is the name of the node, and cannot be set here"
                                 : fmt::format("{} is no name for a variable", quote(entry.key)),
          entry.key == nodes_own ? "use another name; --node NAME sets it"
                                 : "a name has letters, digits and \"_\", and does not begin with a digit");
      continue;
    }
    if (entry.value.type != Node::Type::scalar) {
      diagnostics_.error(entry.value.place, fmt::format("the variable {} must be a single value", entry.key),
                         "a text that is empty is \"\"");
      continue;
    }
    auto text = entry.value.scalar;
    replace_text(text, entry.value.place);
    defined_[entry.key] = std::move(text);
  }
}

void Variables::replace(Node& node) {
  if (node.type == Node::Type::scalar && node.scalar.find("${") != std::string::npos) {
    replace_text(node.scalar, node.place);
    node.quoted = false;  // quotes are often needed for the brace alone: "${PRIORITY}" is a number
  }
  for (auto& item : node.items) replace(item);
  for (auto& entry : node.entries) replace(entry.value);
}

void Variables::replace_text(std::string& text, const Place& place) {
  std::string done;
  std::size_t from = 0;
  for (auto at = text.find("${"); at != std::string::npos; at = text.find("${", from)) {
    if (at > from && text[at - 1] == '$') {
      done += text.substr(from, at - 1 - from) + "${";
      from = at + 2;
      continue;
    }
    done += text.substr(from, at - from);
    const auto end = text.find('}', at);
    const auto inside = end == std::string::npos ? std::string() : text.substr(at + 2, end - at - 2);
    const auto otherwise = inside.find(":-");
    const auto name = inside.substr(0, otherwise);
    if (!is_name(name)) {
      diagnostics_.error(place, fmt::format("{} is no variable", quote(text.substr(at))),
                         "write ${NAME} or ${NAME:-default}; \"$${\" stands for \"${\" itself");
      return;
    }
    const auto value = value_of(name);
    if (!value && otherwise == std::string::npos) {
      diagnostics_.error(place, fmt::format("there is no variable {}", name), remedy(name));
      return;
    }
    done += value ? *value : inside.substr(otherwise + 2);
    if (done.size() > longest_scalar) {
      diagnostics_.error(place,
                         fmt::format("with its variables this has more than {} bytes", longest_scalar));
      return;
    }
    from = end + 1;
  }
  text = done + text.substr(from);
}

std::optional<std::string> Variables::value_of(const std::string& name) const {
  if (name == nodes_own) return surroundings_.node;
  if (const auto found = defined_.find(name); found != defined_.end()) return found->second;
  return surroundings_.environment ? surroundings_.environment(name) : std::nullopt;
}

std::string Variables::remedy(const std::string& name) const {
  std::vector<std::string> names{std::string(nodes_own)};
  for (const auto& [each, value] : defined_) names.push_back(each);
  if (auto meant = did_you_mean(name, names); !meant.empty()) return meant;
  return fmt::format("set it below \"vars:\" or in the environment, or say what it is without: ${{{}:-text}}",
                     name);
}

}  // namespace vipd::conf
