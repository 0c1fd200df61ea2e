#include "conf/hooks_schema.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/words.h"
#include "checks/settings/script_settings.h"
#include "conf/words.h"
#include "conf/yaml_writer.h"

namespace vipd::conf {

namespace {
using namespace std::chrono_literals;
using events::Hooks;
using events::Mail;
using events::Severity;
using events::Webhook;

constexpr Duration least_timeout = 100ms;
constexpr Duration most_timeout = 1h;
constexpr Duration most_sending = 5min;
constexpr std::size_t most_items = 64;
constexpr std::string_view own_directory = "/run/vipd";  // vipd creates it when it starts

constexpr std::array<Reader::Choice<Severity>, 3> severities{
    {{"P0", Severity::p0}, {"P1", Severity::p1}, {"P2", Severity::p2}}};
constexpr std::array<Reader::Choice<events::HookArguments>, 2> argument_orders{
    {{"none", events::HookArguments::none}, {"keepalived", events::HookArguments::keepalived}}};
constexpr std::array<std::string_view, 9> unit_types{".service", ".socket", ".target", ".timer", ".mount",
                                                     ".path",    ".slice",  ".scope",  ".swap"};

bool is_printable(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char each) { return each > ' ' && each < 0x7f; });
}

bool is_unit(const std::string& name) {
  const bool typed = std::any_of(unit_types.begin(), unit_types.end(), [&](std::string_view type) {
    return name.size() > type.size() && name.ends_with(type);
  });
  return typed && is_printable(name) && name.find('/') == std::string::npos && name.size() < 256;
}

bool is_mail_address(const std::string& text) {
  const auto at = text.find('@');
  return is_printable(text) && at != std::string::npos && at > 0 && at + 1 < text.size() &&
         text.find_first_of("<>,;\"") == std::string::npos;
}

bool is_url(const std::string& text, std::initializer_list<std::string_view> schemes) {
  return is_printable(text) && std::any_of(schemes.begin(), schemes.end(), [&](std::string_view scheme) {
           return text.starts_with(scheme) && text.size() > scheme.size() && text[scheme.size()] != '/';
         });
}

// The path of an existing file with a secret. Warns if every user can read it.
std::string read_file_name(Reader& reader, std::string_view key) {
  const auto path = reader.text(key).value_or("");
  if (path.empty()) return path;
  if (!path.starts_with('/'))
    reader.error(key, fmt::format("{} must be an absolute path, not {}", key, quote(path)));
  else if (struct stat status{}; stat(path.c_str(), &status) != 0)
    reader.error(key, fmt::format("{} {}: {}", key, path, std::strerror(errno)),
                 "create the file, readable only by root");
  else if (!S_ISREG(status.st_mode))
    reader.error(key, fmt::format("{} {} is not a regular file", key, path));
  else if (status.st_size == 0)
    reader.error(key, fmt::format("{} {} is empty", key, path), "write the secret into it");
  else if ((status.st_mode & S_IROTH) != 0)
    reader.diagnostics().warning(reader.node().find(key)->place,
                                 fmt::format("every user can read {}, which contains a secret", path),
                                 fmt::format("chmod o-rwx {}", path));
  return path;
}

Webhook read_webhook(const Node& node, Reader& above) {
  Reader reader(node, above.diagnostics(), "webhook in " + above.what());
  Webhook webhook;
  reader.required("url");
  webhook.url = reader.text("url").value_or("");
  if (!webhook.url.empty() && !is_url(webhook.url, {"http://", "https://"}))
    reader.error("url", fmt::format("url must be an http or https URL, not {}", quote(webhook.url)),
                 "write https://HOST/PATH");
  webhook.secret_file = read_file_name(reader, "secret_file");
  webhook.timeout = reader.duration("timeout", least_timeout, most_sending).value_or(webhook.timeout);
  webhook.severity = reader.choice<Severity>("severity", severities).value_or(webhook.severity);
  reader.finish();
  return webhook;
}

void check_mail_address(Reader& reader, std::string_view key, const std::string& text) {
  if (!text.empty() && !is_mail_address(text))
    reader.error(key, fmt::format("{} is not a mail address", quote(text)), "write NAME@HOST");
}

Mail read_mail(const Node& node, Reader& above) {
  Reader reader(node, above.diagnostics(), "mail in " + above.what());
  Mail mail;
  for (const auto* key : {"smtp", "from", "to"}) reader.required(key);
  mail.smtp = reader.text("smtp").value_or("");
  if (!mail.smtp.empty() && !is_url(mail.smtp, {"smtp://", "smtps://"}))
    reader.error("smtp", fmt::format("smtp must be an smtp or smtps URL, not {}", quote(mail.smtp)),
                 "write smtp://HOST:25 or smtps://HOST:465");
  mail.from = reader.text("from").value_or("");
  check_mail_address(reader, "from", mail.from);
  mail.to = reader.texts("to").value_or(std::vector<std::string>{});
  for (const auto& each : mail.to) check_mail_address(reader, "to", each);
  if (mail.to.empty() && node.find("to"))
    reader.error("to", "to is empty: the mail has no recipient", "write to: [admin@example.org]");
  mail.user = reader.text("user").value_or("");
  mail.password_file = read_file_name(reader, "password_file");
  mail.timeout = reader.duration("timeout", least_timeout, most_sending).value_or(mail.timeout);
  mail.severity = reader.choice<Severity>("severity", severities).value_or(mail.severity);
  reader.finish();
  return mail;
}

std::vector<std::string> read_units(Reader& reader, std::string_view key) {
  const auto units = reader.texts(key).value_or(std::vector<std::string>{});
  for (const auto& unit : units)
    if (!is_unit(unit))
      reader.error(key, fmt::format("{} is not a systemd unit name", quote(unit)),
                   "write the full name, such as nginx.service");
  if (units.size() > most_items) reader.error(key, fmt::format("{} has more than {} units", key, most_items));
  return units;
}

void read_systemd(const Node& node, Reader& above, Hooks& hooks) {
  Reader reader(node, above.diagnostics(), "systemd in " + above.what());
  hooks.start_units = read_units(reader, "start");
  hooks.stop_units = read_units(reader, "stop");
  reader.finish();
}

// vipd creates a missing FIFO, but not its directory, which another program may still create.
void check_fifo(Reader& reader, const std::string& path) {
  if (!path.starts_with('/'))
    return reader.error("fifo", fmt::format("fifo must be an absolute path, not {}", quote(path)));
  struct stat status{};
  if (stat(path.c_str(), &status) == 0) {
    if (!S_ISFIFO(status.st_mode))
      reader.error("fifo", fmt::format("fifo {} exists, but is not a FIFO", path),
                   "choose another path, or remove the file: vipd creates the FIFO");
    return;
  }
  const auto directory = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  if (directory == own_directory) return;
  if (stat((directory + "/").c_str(), &status) == 0) return;
  reader.diagnostics().warning(reader.child("fifo")->place,
                               fmt::format("fifo {}: {}: {}", path, directory, std::strerror(errno)),
                               "create the directory: vipd creates only the FIFO in it");
}

std::string list(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + yaml_scalar(word);
  return "[" + text + "]";
}
}  // namespace

Hooks read_hooks(Reader& above) {
  Hooks hooks;
  const Node* const node = above.child("hooks");
  if (!node) return hooks;
  Reader reader(*node, above.diagnostics(), "hooks of " + above.what());
  hooks.user = reader.text("user").value_or("");
  if (const auto user = checks::find_script_user(hooks.user); !user)
    reader.error("user", user.error().message, "name an existing user, or create this one");
  const auto program = [&](std::string_view key, std::vector<std::string>& argv) {
    if (reader.child(key)) argv = checks::read_program(reader, key, hooks.user);
  };
  program("on_active", hooks.on_active);
  program("on_backup", hooks.on_backup);
  program("on_initialize", hooks.on_initialize);
  program("on_event", hooks.on_event);
  hooks.severity = reader.choice<Severity>("severity", severities).value_or(hooks.severity);
  hooks.timeout = reader.duration("timeout", least_timeout, most_timeout).value_or(hooks.timeout);
  hooks.arguments =
      reader.choice<events::HookArguments>("arguments", argument_orders).value_or(hooks.arguments);
  hooks.fifo = reader.text("fifo").value_or("");
  if (!hooks.fifo.empty()) check_fifo(reader, hooks.fifo);
  if (const Node* const systemd = reader.child("systemd")) read_systemd(*systemd, reader, hooks);
  if (const Node* const webhook = reader.child("webhook")) hooks.webhook = read_webhook(*webhook, reader);
  if (const Node* const mail = reader.child("mail")) hooks.mail = read_mail(*mail, reader);
  refuse_hook_words(reader);
  reader.finish();
  return hooks;
}

std::string print_hooks(const Hooks& hooks, int indentation) {
  if (hooks == Hooks{}) return {};
  const std::string above(static_cast<std::size_t>(indentation), ' ');
  std::string text = above + "hooks:\n";
  const auto line = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}  {}:{}{}\n", above, key, value.empty() ? "" : " ", value);
  };
  const auto program = [&](std::string_view key, const auto& argv) {
    if (!argv.empty()) line(key, list(argv));
  };
  program("on_active", hooks.on_active);
  program("on_backup", hooks.on_backup);
  program("on_initialize", hooks.on_initialize);
  program("on_event", hooks.on_event);
  line("severity", std::string(to_string(hooks.severity)));
  if (!hooks.user.empty()) line("user", yaml_scalar(hooks.user));
  line("timeout", vipd::to_string(hooks.timeout));
  line("arguments", hooks.arguments == events::HookArguments::keepalived ? "keepalived" : "none");
  if (!hooks.fifo.empty()) line("fifo", yaml_scalar(hooks.fifo));
  if (!hooks.start_units.empty() || !hooks.stop_units.empty())
    line("systemd", fmt::format("{{start: {}, stop: {}}}", list(hooks.start_units), list(hooks.stop_units)));
  if (const auto& webhook = hooks.webhook) {
    line("webhook", "");
    line("  url", yaml_scalar(webhook->url));
    if (!webhook->secret_file.empty()) line("  secret_file", yaml_scalar(webhook->secret_file));
    line("  timeout", vipd::to_string(webhook->timeout));
    line("  severity", std::string(to_string(webhook->severity)));
  }
  if (const auto& mail = hooks.mail) {
    line("mail", "");
    line("  smtp", yaml_scalar(mail->smtp));
    line("  from", yaml_scalar(mail->from));
    line("  to", list(mail->to));
    if (!mail->user.empty()) line("  user", yaml_scalar(mail->user));
    if (!mail->password_file.empty()) line("  password_file", yaml_scalar(mail->password_file));
    line("  timeout", vipd::to_string(mail->timeout));
    line("  severity", std::string(to_string(mail->severity)));
  }
  return text;
}

}  // namespace vipd::conf
