#include "checks/settings/check_settings.h"
#include "base/words.h"

#include <algorithm>
#include <array>

namespace vipd::checks {

namespace {

constexpr std::array<std::string_view, 6> shared_keys{"interval", "timeout",     "fall",
                                                      "rise",     "stale_after", "on_failure"};
constexpr Duration least_interval = std::chrono::milliseconds(10);
constexpr Duration most_interval = std::chrono::hours(1);
constexpr int most_in_a_row = 1000;
constexpr Duration least_stale_after = std::chrono::seconds(15);  // a hanging monitor is replaced earlier

bool is_shared(std::string_view key) {
  return std::find(shared_keys.begin(), shared_keys.end(), key) != shared_keys.end();
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

// Reports a check without a kind; most often the key of the kind is misspelt.
void report_no_kind(Reader& reader) {
  const auto names = kind_names();
  for (const auto& entry : reader.node().entries) {
    const auto remedy = is_shared(entry.key) ? std::string{} : did_you_mean(entry.key, names);
    if (remedy.empty()) continue;
    reader.diagnostics().error(entry.key_place, "unknown key " + quote(entry.key) + " in " + reader.what(),
                               remedy);
    return;
  }
  reader.diagnostics().error(reader.node().place, reader.what() + " does not say what to check",
                             "add one of the keys " + listed(names));
}

// The kind whose key the check has. If it has none, or more than one, reports that and returns nullptr.
const Kind* choose_kind(Reader& reader) {
  std::vector<std::string> found;
  for (const auto& name : kind_names())
    if (reader.child(name)) found.push_back(name);
  if (found.size() == 1) return find_kind(found[0]);
  if (reader.node().type != Node::Type::map) return nullptr;  // reported by the reader
  if (found.empty()) {
    report_no_kind(reader);
    return nullptr;
  }
  for (std::size_t i = 1; i < found.size(); ++i)
    reader.error(found[i], reader.what() + " has both " + found[0] + " and " + found[i],
                 "split it into two checks");
  return nullptr;
}

OnFailure read_on_failure(Reader& reader) {
  OnFailure on_failure;
  const Node* node = reader.child("on_failure");
  if (!node) return on_failure;
  if (node->type == Node::Type::scalar && node->scalar == "initialize")
    return {.priority = 0, .initialize = true};
  if (node->type != Node::Type::map) {
    reader.error("on_failure",
                 node->type == Node::Type::scalar
                     ? "on_failure must be a map or initialize, not " + quote(node->scalar)
                     : std::string("on_failure must be a map or initialize"),
                 "write on_failure: {priority: -60} or on_failure: initialize");
    return on_failure;
  }
  Reader keys(*node, reader.diagnostics(), "on_failure of " + reader.what());
  keys.required("priority");
  if (const auto priority = keys.integer("priority", -254, -1))
    on_failure.priority = static_cast<int>(*priority);
  keys.finish();
  return on_failure;
}

// The place of the latency: beside the key of the kind, or inside expect.
Place place_of_latency(const Node& check) {
  const Node* expect = check.find("expect");
  const Node* latency = expect && expect->find("latency") ? expect->find("latency") : check.find("latency");
  return latency ? latency->place : check.place;
}

// The keys of the kind: first the one that names it, then the others in the order of the file.
Node kind_keys(const Node& check, std::string_view kind) {
  Node own;
  own.type = Node::Type::map;
  own.place = check.place;
  for (const auto& entry : check.entries)
    if (entry.key == kind) own.entries.push_back(entry);
  for (const auto& entry : check.entries)
    if (entry.key != kind && !is_shared(entry.key)) own.entries.push_back(entry);
  return own;
}

}  // namespace

CheckConfig read_check(Reader& reader, std::string name) {
  CheckConfig check;
  check.name = std::move(name);
  check.interval = reader.duration("interval", least_interval, most_interval).value_or(check.interval);
  check.timeout = reader.duration("timeout", least_interval, most_interval).value_or(check.timeout);
  check.fall = static_cast<int>(reader.integer("fall", 1, most_in_a_row).value_or(check.fall));
  check.rise = static_cast<int>(reader.integer("rise", 1, most_in_a_row).value_or(check.rise));
  check.stale_after =
      reader.duration("stale_after", least_stale_after, most_interval).value_or(check.stale_after);
  check.on_failure = read_on_failure(reader);
  const Kind* kind = choose_kind(reader);
  if (!kind) return check;  // without a kind the other keys have no meaning
  check.kind = kind->name;
  const auto settings = kind->read(reader);
  if (settings->latency && *settings->latency >= check.timeout)
    reader.diagnostics().error(place_of_latency(reader.node()),
                               "latency (" + to_string(*settings->latency) +
                                   ") must be shorter than timeout (" + to_string(check.timeout) +
                                   "), which ends the attempt",
                               "make latency shorter or timeout longer");
  check.settings = kind_keys(reader.node(), kind->name);
  reader.finish();
  return check;
}

Node check_to_node(const CheckConfig& check) {
  Node node = check.settings;
  node.type = Node::Type::map;
  const auto add = [&node](std::string key, Node value) {
    node.entries.push_back({std::move(key), {}, std::move(value)});
  };
  add("interval", Node::text(to_string(check.interval)));
  add("timeout", Node::text(to_string(check.timeout)));
  add("fall", Node::text(std::to_string(check.fall)));
  add("rise", Node::text(std::to_string(check.rise)));
  add("stale_after", Node::text(to_string(check.stale_after)));
  add("on_failure", check.on_failure.initialize
                        ? Node::text("initialize")
                        : Node::map({{"priority", Node::text(std::to_string(check.on_failure.priority))}}));
  return node;
}

}  // namespace vipd::checks
