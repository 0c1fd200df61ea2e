#include "conf/variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/words.h"
#include "conf/yaml.h"

namespace vipd::conf {

namespace {

constexpr std::string_view nodes_own = "NODE";

bool is_variable_name(std::string_view text) {
  const auto is_letter = [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_';
  };
  return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [&](char each) {
    return is_letter(each) || (each >= '0' && each <= '9');
  });
}

// The variables that a value refers to.
std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
    if (at > 0 && text[at - 1] == '$') continue;
    const auto inside = text.substr(at + 2, text.find('}', at) - at - 2);
    names.emplace_back(inside.substr(0, inside.find(":-")));
  }
  return names;
}

}  // namespace

void Variables::define(const Node& vars) {
  if (vars.type != Node::Type::map) {
    diagnostics_.error(vars.place, "vars must be a map of names and values",
                       "write \"NAME: value\" below it");
    all_broken_ = true;
    return;
  }
  vars_ = &vars;
  for (const auto& entry : vars.entries) {
    if (broken_.contains(entry.key)) continue;
    if (!is_variable_name(entry.key) || entry.key == nodes_own) {
      diagnostics_.error(entry.key_place,
                         entry.key == nodes_own
                             ? "NODE is the name of the node and cannot be set here"
                             : fmt::format("{} is not a valid name for a variable", quote(entry.key)),
                         entry.key == nodes_own ? "use another name, or set NODE with --node NAME"
                                                : "use letters, digits and \"_\"; do not begin with a digit");
      broken_.insert(entry.key);
      continue;
    }
    if (entry.value.type != Node::Type::scalar) {
      diagnostics_.error(entry.value.place, fmt::format("the variable {} must be a single value", entry.key),
                         "write \"\" for an empty value");
      broken_.insert(entry.key);
      continue;
    }
    defining_ = entry.key;
    auto text = entry.value.scalar;
    if (try_to_replace(text, entry.value.place))
      defined_[entry.key] = std::move(text);
    else
      broken_.insert(entry.key);
  }
  defining_.clear();
  vars_ = nullptr;
}

void Variables::replace(Node& node) {
  if (node.type == Node::Type::scalar && node.scalar.find("${") != std::string::npos) {
    replace_text(node.scalar, node.place);
    node.quoted = false;  // often only the brace needs the quotes: "${PRIORITY}" is a number
  }
  for (auto& item : node.items) replace(item);
  for (auto& entry : node.entries) replace(entry.value);
}

bool Variables::try_to_replace(std::string& text, const Place& place) {
  const auto fail = [&](std::string message, std::string remedy = {}) {
    diagnostics_.error(place, std::move(message), std::move(remedy));
    diagnostics_.spoil(place);
    return false;
  };
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
    if (is_broken(name)) {
      diagnostics_.spoil(place);
      return false;
    }
    if (!is_variable_name(name))
      return fail(fmt::format("{} is not a variable", quote(text.substr(at))),
                  "write ${NAME} or ${NAME:-default}; write \"$${\" for a literal \"${\"");
    const auto value = value_of(name);
    if (!value && otherwise == std::string::npos) {
      report_missing(name, place);
      return false;
    }
    done += value ? *value : inside.substr(otherwise + 2);
    if (done.size() > longest_scalar)
      return fail(fmt::format("with its variables this value is longer than {} bytes", longest_scalar));
    from = end + 1;
  }
  text = done + text.substr(from);
  return true;
}

bool Variables::is_broken(const std::string& name) const {
  return broken_.contains(name) || (all_broken_ && name != nodes_own && !value_of(name));
}

// Variables under "vars:" may be in the wrong order, or refer to each other in a circle.
void Variables::report_missing(const std::string& name, const Place& place) {
  const Node* const below = vars_ ? vars_->find(name) : nullptr;
  std::vector<std::string> path{name};
  if (below && leads_to(defining_, path)) {
    std::string circle = defining_;
    for (const auto& each : path) {
      circle += fmt::format(" -> {}", each);
      if (each != defining_)
        circle += fmt::format(" ({})", diagnostics_.where(vars_->find(each)->place, place));
      broken_.insert(each);
    }
    diagnostics_.error(place, fmt::format("variables refer to each other in a circle: {}", circle),
                       "give one of them a value that does not refer to the others");
  } else if (below) {
    diagnostics_.error(
        place,
        fmt::format("the variable {} is defined below, in {}", name, diagnostics_.where(below->place, place)),
        "move it above this one: a value can only use variables above it");
  } else {
    diagnostics_.error(place, fmt::format("there is no variable {}", name), remedy(name));
  }
  diagnostics_.spoil(place);
}

// Whether the value of the last variable in the path refers to `to`, directly or through others, which are
// added to the path.
bool Variables::leads_to(const std::string& to, std::vector<std::string>& path) const {
  if (path.back() == to) return true;
  const Node* const value = vars_->find(path.back());
  if (!value) return false;
  for (const auto& next : names_in(value->scalar)) {
    if (std::find(path.begin(), path.end(), next) != path.end()) continue;
    path.push_back(next);
    if (leads_to(to, path)) return true;
    path.pop_back();
  }
  return false;
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
  return fmt::format("set it under \"vars:\" or in the environment, or give a default: ${{{}:-text}}", name);
}

}  // namespace vipd::conf
