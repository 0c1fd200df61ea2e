#include "health/script_settings.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace vipd::health {

namespace {

constexpr std::size_t most_words = 256;
// Empty if only root, `user` and we may replace or alter what `path` names; else the reason. The directories
// above count too: who can write one of them can put another file in its place (unless it is sticky, as /tmp
// is).
std::string who_else_writes(const std::string& path, const ScriptUser& user) {
  for (std::string part = path;;) {
    struct stat status{};
    if (::stat(part.c_str(), &status) != 0) return "cannot look at " + part + ": " + std::strerror(errno);
    const bool directory = S_ISDIR(status.st_mode);
    const bool sticky = directory && (status.st_mode & S_ISVTX) != 0;
    // In a user namespace root may appear as the overflow user.
    constexpr uid_t overflow = 65534;
    if (status.st_uid != 0 && status.st_uid != user.uid && status.st_uid != ::geteuid() &&
        status.st_uid != overflow)
      return part + " belongs to user " + std::to_string(status.st_uid);
    if ((status.st_mode & S_IWOTH) != 0 && !sticky) return part + " can be written by everybody";
    if ((status.st_mode & S_IWGRP) != 0 && !sticky && status.st_gid != 0 && status.st_gid != user.gid)
      return part + " can be written by its group";
    if (part == "/") return {};
    part.erase(std::max<std::size_t>(part.rfind('/'), 1));
  }
}

bool executable_by(const struct stat& status, const ScriptUser& user) {
  if (user.uid == 0) return (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  if (status.st_uid == user.uid) return (status.st_mode & S_IXUSR) != 0;
  if (status.st_gid == user.gid) return (status.st_mode & S_IXGRP) != 0;
  return (status.st_mode & (S_IXOTH | S_IXGRP)) != 0;  // further groups of the user are not looked up
}

// program: how messages name it, "script /usr/lib/x/check".
std::string trouble_with(const std::string& program, const std::string& path, const ScriptUser& user) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return program + ": " + std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return program + " is not a file";
  if (!executable_by(status, user)) return program + " is not executable by " + user.name;
  if (auto reason = who_else_writes(path, user); !reason.empty()) return program + " is not safe: " + reason;
  return {};
}

std::string remedy_for(const std::string& trouble, const std::string& path) {
  if (trouble.find("not executable") != std::string::npos) return "chmod +x " + path;
  if (trouble.find("not safe") != std::string::npos)
    return "whoever can write it could run anything as its user: chmod go-w";
  return "correct the path, or put the program there";
}

std::vector<std::string> read_words(Reader& reader, const std::string& key) {
  const Node* node = reader.child(key);
  if (!node) return {};
  if (node->type != Node::Type::sequence || node->items.empty()) {
    reader.error(key, key + " must be a list: the program and its arguments",
                 "write a list of words, such as " + key + ": [/usr/lib/x/check, --fast]; no shell runs it");
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
                               key + " " + quote(words[0]) + " must be an absolute path");
    return {};
  }
  if (std::any_of(words.begin(), words.end(),
                  [](const auto& word) { return word.find('\0') != std::string::npos; })) {
    reader.error(key, key + " has a zero byte inside",
                 "remove it: words that are given to a program end there");
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
  const auto account = find_script_user(user);
  if (words.empty() || !account) return words;
  if (const auto trouble = trouble_with(std::string(key) + " " + words[0], words[0], *account);
      !trouble.empty())
    reader.diagnostics().error(reader.node().find(key)->items[0].place, trouble,
                               remedy_for(trouble, words[0]));
  return words;
}

std::unique_ptr<Settings> read_script(Reader& reader) {
  static constexpr std::array<Reader::Choice<ScriptResult>, 2> results{
      {{"exit", ScriptResult::exit}, {"priority", ScriptResult::priority}}};
  auto settings = std::make_unique<ScriptSettings>();
  reader.required("script");
  settings->user = reader.text("user").value_or("");
  settings->argv = read_program(reader, "script", settings->user);
  settings->result = reader.choice<ScriptResult>("result", results).value_or(ScriptResult::exit);
  if (const auto user = find_script_user(settings->user); !user)
    reader.error("user", user.error().message, "name a user that exists, or create this one");
  return settings;
}

}  // namespace vipd::health
