#include "health/script_settings.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace vipd::health {

namespace {

constexpr std::size_t most_words = 256;
constexpr const char* list_remedy =
    "write a list of words, such as script: [/usr/lib/x/check, --fast]; no shell runs it";

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

std::string trouble_with(const std::string& path, const ScriptUser& user) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return "script " + path + ": " + std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "script " + path + " is not a file";
  if (!executable_by(status, user)) return "script " + path + " is not executable by " + user.name;
  if (auto reason = who_else_writes(path, user); !reason.empty())
    return "script " + path + " is not safe: " + reason;
  return {};
}

std::string remedy_for(const std::string& trouble, const std::string& path) {
  if (trouble.find("not executable") != std::string::npos) return "chmod +x " + path;
  if (trouble.find("not safe") != std::string::npos)
    return "whoever can write it could run anything as the user of the check: chmod go-w";
  return "correct the path, or put the program there";
}

std::vector<std::string> read_words(Reader& reader) {
  const Node* node = reader.child("script");
  if (!node) return {};
  if (node->type != Node::Type::sequence || node->items.empty()) {
    reader.error("script", "script must be a list: the program and its arguments", list_remedy);
    return {};
  }
  if (node->items.size() > most_words) {
    reader.error("script", "script has more than " + std::to_string(most_words) + " words",
                 "write a script that calls the program with them");
    return {};
  }
  auto words = reader.texts("script").value_or(std::vector<std::string>{});
  if (words.empty()) return {};
  if (!words[0].starts_with('/')) {
    reader.diagnostics().error(node->items[0].place,
                               "script " + quote(words[0]) + " must be an absolute path");
    return {};
  }
  if (std::any_of(words.begin(), words.end(),
                  [](const auto& word) { return word.find('\0') != std::string::npos; })) {
    reader.error("script", "script has a zero byte inside",
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

std::unique_ptr<Settings> read_script(Reader& reader) {
  static constexpr std::array<Reader::Choice<ScriptResult>, 2> results{
      {{"exit", ScriptResult::exit}, {"priority", ScriptResult::priority}}};
  auto settings = std::make_unique<ScriptSettings>();
  reader.required("script");
  settings->argv = read_words(reader);
  settings->user = reader.text("user").value_or("");
  settings->result = reader.choice<ScriptResult>("result", results).value_or(ScriptResult::exit);
  const auto user = find_script_user(settings->user);
  if (!user) {
    reader.error("user", user.error().message, "name a user that exists, or create this one");
  } else if (!settings->argv.empty()) {
    if (const auto trouble = trouble_with(settings->argv[0], *user); !trouble.empty())
      reader.diagnostics().error(reader.node().find("script")->items[0].place, trouble,
                                 remedy_for(trouble, settings->argv[0]));
  }
  return settings;
}

}  // namespace vipd::health
