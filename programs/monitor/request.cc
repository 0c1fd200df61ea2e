#include "programs/monitor/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/words.h"

namespace vipd::programs {

namespace {
using nlohmann::json;

constexpr std::array<std::string_view, 6> questions{"version", "status", "explain",
                                                    "watch",   "events", "record"};
constexpr std::array<std::string_view, 5> commands{"switch", "reload", "confirm", "upgrade", "configuration"};

bool is_in(const auto& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<std::string> text_in(const json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end()) return std::string();
  if (!found->is_string()) return failure(fmt::format("{} must be a string", key));
  return found->get<std::string>();
}

// False if missing. Other types are errors: a "back" that is not recognized would hand over.
Result<bool> truth_in(const json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end()) return false;
  if (!found->is_boolean()) return failure(fmt::format("{} must be true or false", key));
  return found->get<bool>();
}

// "confirm": "30s", of a reload.
Result<std::optional<Duration>> confirmation(const json& request) {
  const auto found = request.find("confirm");
  if (found == request.end()) return std::optional<Duration>{};
  if (!found->is_string()) return failure("confirm must be a string: how long to wait, such as 30s");
  const auto parsed = parse_duration(found->get<std::string>());
  if (!parsed) return failure("confirm: " + parsed.error().message);
  const auto wait = *parsed;
  if (wait < shortest_confirmation || wait > longest_confirmation)
    return failure(fmt::format("confirm is {}, it must be {} to {}", to_string(wait),
                               to_string(shortest_confirmation), to_string(longest_confirmation)));
  return std::optional(wait);
}

Result<std::vector<std::string>> texts_in(const json& request, const char* key) {
  std::vector<std::string> texts;
  const auto found = request.find(key);
  if (found == request.end()) return texts;
  if (!found->is_array()) return failure(fmt::format("{} must be a list of texts", key));
  for (const auto& each : *found) {
    if (!each.is_string()) return failure(fmt::format("{} must be a list of texts", key));
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

// Fills in the fields up to the first error.
Result<> read_request(const std::string& line, Request& into) {
  const auto request = json::parse(line, nullptr, false);
  if (!request.is_object()) return failure("a request must be one JSON object on one line");
  if (request.contains("v") && request["v"] != protocol_version)
    return failure(fmt::format("this vipd has version {} of the control protocol", protocol_version));
  const auto command = TRY(text_in(request, "command"));
  if (!is_in(questions, command) && !is_in(commands, command)) {
    std::vector<std::string> known(questions.begin(), questions.end());
    known.insert(known.end(), commands.begin(), commands.end());
    const auto meant = did_you_mean(command, known);
    return failure("unknown command " + quote(command) + (meant.empty() ? "" : ": " + meant));
  }
  into.command = command;
  into.router = TRY(text_in(request, "router"));
  if (into.router.empty() && (command == "switch" || command == "explain"))
    return failure("router is missing: it must be the name of an entry");
  into.back = TRY(truth_in(request, "back"));
  into.follow = TRY(truth_in(request, "follow"));
  into.confirm = TRY(confirmation(request));
  into.variables = TRY(texts_in(request, "variables"));
  return {};
}
}  // namespace

std::string Request::text() const {
  const auto name = quote(router);  // in ASCII, and of bounded length
  const bool plain = name == "\"" + router + "\"";
  std::string text = command;
  if (back) text += " --back";
  if (confirm) text += " --confirm " + to_string(*confirm);
  if (!router.empty()) text += " " + (plain ? router : name);
  return text;
}

bool Request::is_command() const {
  return is_in(commands, command);
}

tl::expected<Request, BadRequest> parse_request(const std::string& line) {
  Request request;
  if (const auto read = read_request(line, request); !read)
    return tl::unexpected(BadRequest{read.error().message, std::move(request)});
  return request;
}

}  // namespace vipd::programs
