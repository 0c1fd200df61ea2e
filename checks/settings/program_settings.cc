#include "checks/settings/program_settings.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <filesystem>
#include <vector>

#include "base/user_namespace.h"

namespace vipd::checks {

namespace {
constexpr int most_links = 40;  // the kernel's limit

std::string name_of(uid_t user) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found ? std::string(entry.pw_name) : std::to_string(user);
}

std::string failed(int code) {
  return fmt::format(": {}", std::strerror(code));
}

Trouble not_safe(const std::string& reason, const std::string& remedy) {
  return {" is not safe: " + reason,
          remedy + ": otherwise another user could replace the program that vipd runs"};
}

bool may_own(uid_t owner, const ScriptUser& user) {
  if (owner == 0 || owner == user.uid || owner == ::geteuid()) return true;
  // Root, if this user namespace does not map it.
  constexpr uid_t overflow = 65534;
  return owner == overflow && !is_mapped(overflow);
}

std::optional<Trouble> trouble_with_writers(const std::string& part, const struct stat& status,
                                            const std::optional<ScriptUser>& user) {
  if (user && !may_own(status.st_uid, *user))
    return not_safe(fmt::format("{} is owned by {}", part, name_of(status.st_uid)), "chown root " + part);
  // A symbolic link has no mode of its own. In a sticky directory such as /tmp, users cannot replace the
  // files of others.
  if (S_ISLNK(status.st_mode) || (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0)) return {};
  if ((status.st_mode & S_IWOTH) != 0)
    return not_safe(part + " is writable by every user", "chmod o-w " + part);
  if (user && (status.st_mode & S_IWGRP) != 0 && status.st_gid != 0 && status.st_gid != user->gid)
    return not_safe(part + " is writable by its group", "chmod g-w " + part);
  return {};
}

bool is_executable(const struct stat& status, const std::optional<ScriptUser>& user) {
  if (!user || user->uid == 0) return (status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  if (status.st_uid == user->uid) return (status.st_mode & S_IXUSR) != 0;
  if (status.st_gid == user->gid) return (status.st_mode & S_IXGRP) != 0;
  return (status.st_mode & (S_IXOTH | S_IXGRP)) != 0;  // supplementary groups are not looked up
}

// The components of a path, in order.
std::deque<std::string> names_of(const std::filesystem::path& path) {
  std::deque<std::string> names;
  for (const auto& each : path.relative_path())
    if (!each.empty() && each != ".") names.push_back(each.string());
  return names;
}

// Checks each step of the kernel's path lookup, including symbolic links and the directories they traverse.
std::optional<Trouble> trouble_on_the_way(const std::string& path, const std::optional<ScriptUser>& user) {
  std::filesystem::path here = "/";
  auto ahead = names_of(path);
  for (int links = 0;;) {
    struct stat status{};
    if (::lstat(here.c_str(), &status) != 0) return Trouble{failed(errno), {}};
    if (auto trouble = trouble_with_writers(here.string(), status, user)) return trouble;
    if (S_ISLNK(status.st_mode)) {
      std::error_code error;
      const auto target = std::filesystem::read_symlink(here, error);
      if (error || ++links > most_links) return Trouble{failed(error ? error.value() : ELOOP), {}};
      auto names = names_of(target);
      ahead.insert(ahead.begin(), names.begin(), names.end());
      here = target.is_absolute() ? std::filesystem::path("/") : here.parent_path();
    }
    if (ahead.empty()) return {};
    here = ahead.front() == ".." ? here.parent_path() : here / ahead.front();
    ahead.pop_front();
  }
}
}  // namespace

std::optional<Trouble> trouble_with_program(const std::string& path, const std::optional<ScriptUser>& user) {
  constexpr auto correct_it = "correct the path, or install the program there";
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return Trouble{failed(errno), correct_it};
  if (!S_ISREG(status.st_mode)) return Trouble{" is not a regular file", correct_it};
  if (!is_executable(status, user))
    return Trouble{user ? " is not executable by " + user->name : " is not executable", "chmod +x " + path};
  auto trouble = trouble_on_the_way(path, user);
  if (trouble && trouble->remedy.empty()) trouble->remedy = correct_it;
  return trouble;
}

}  // namespace vipd::checks
