#include "checks/settings/script_settings.h"
#include "base/words.h"

#include <pwd.h>

#include <algorithm>
#include <array>

namespace vipd::checks {

namespace {

constexpr std::size_t most_words = 256;

std::vector<std::string> read_words(Reader& reader, const std::string& key) {
  const Node* node = reader.child(key);
  if (!node) return {};
  if (node->type != Node::Type::sequence || node->items.empty()) {
    reader.error(key, key + " must be a list: the program and its arguments",
                 "write a list such as " + key + ": [/usr/lib/x/check, --fast]; no shell interprets it");
    return {};
  }
  if (node->items.size() > most_words) {
    reader.error(key, key + " has more than " + std::to_string(most_words) + " words",
                 "write a script that calls the program with them");
    return {};
  }
  auto words = reader.texts(key).value_or(std::vector<std::string>{});
  if (words.empty()) return {};
  if (!words[0].starts_with('/')) {
    reader.diagnostics().error(node->items[0].place,
                               "the program of " + key + " must be an absolute path, not " + quote(words[0]));
    return {};
  }
  if (std::any_of(words.begin(), words.end(),
                  [](const auto& word) { return word.find('\0') != std::string::npos; })) {
    reader.error(key, key + " contains a zero byte", "remove it: an argument of a program would end there");
    return {};
  }
  return words;
}

}  // namespace

Result<ScriptUser> find_script_user(const std::string& name) {
  static constexpr std::array<const char*, 2> defaults{"vipd", "nobody"};
  std::vector<std::string> candidates{name};
  if (name.empty()) candidates.assign(defaults.begin(), defaults.end());
  for (const auto& candidate : candidates) {
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    const int code = ::getpwnam_r(candidate.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found) return ScriptUser{candidate, entry.pw_uid, entry.pw_gid};
    if (code != 0 && code != ENOENT) return system_failure("looking up the user " + candidate, code);
  }
  return failure("there is no user " + quote(candidates.back()));
}

std::vector<std::string> read_program(Reader& reader, std::string_view key, const std::string& user) {
  const auto words = read_words(reader, std::string(key));
  if (words.empty()) return words;
  const auto account = find_script_user(user);
  const auto& program = words[0];
  if (const auto trouble = trouble_with_program(program, account ? std::optional(*account) : std::nullopt))
    reader.diagnostics().error(reader.node().find(key)->items[0].place,
                               std::string(key) + " " + program + trouble->what, trouble->remedy);
  return words;
}

std::unique_ptr<Settings> read_script(Reader& reader) {
  static constexpr std::array<Reader::Choice<ScriptResult>, 2> results{
      {{"exit", ScriptResult::exit}, {"priority", ScriptResult::priority}}};
  auto settings = std::make_unique<ScriptSettings>();
  reader.required("script");
  settings->user = reader.text("user").value_or("");
  settings->argv = read_program(reader, "script", settings->user);
  settings->latency = reader.duration("latency", least_latency, most_latency);
  settings->result = reader.choice<ScriptResult>("result", results).value_or(ScriptResult::exit);
  if (const auto user = find_script_user(settings->user); !user)
    reader.error("user", user.error().message, "name an existing user, or create this one");
  return settings;
}

}  // namespace vipd::checks
