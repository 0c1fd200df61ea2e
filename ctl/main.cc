// vipctl: shows the state of a running vipd, explains it and gives it commands; checks configuration files
// without a running vipd. A table of subcommands; each is one small function. Exit codes are in vipctl(8).
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ctl/answer.h"
#include "ctl/check.h"
#include "ctl/client.h"
#include "ctl/diff.h"
#include "ctl/events.h"
#include "ctl/recording.h"
#include "ctl/show.h"
#include "ctl/terminal.h"
#include "ctl/upgrade.h"
#include "ctl/usage.h"
#include "ctl/watch.h"

namespace {
using namespace vipd;
using nlohmann::json;

constexpr int exit_refused = 1;
constexpr int exit_usage = 2;
constexpr int exit_unreachable = 3;
constexpr int exit_not_permitted = 4;

struct Options {
  std::string run_dir = "/run/vipd";
  bool as_json = false;
  bool back = false;
  std::string router;
  std::vector<std::string> files;
  std::string output;
  std::string confirm;
  std::string node;
  ctl::EventsOptions events;
};

bool wants_colours() {
  const char* const terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  const char* const no_color = std::getenv("NO_COLOR");  // https://no-color.org: set, and not empty
  return isatty(STDOUT_FILENO) == 1 && !dumb && (no_color == nullptr || *no_color == '\0');
}

// Of the terminal that the output goes to; 80 for a file or a pipe.
std::size_t columns() {
  return isatty(STDOUT_FILENO) == 1 ? ctl::Terminal::size().columns : ctl::Size{}.columns;
}

// With --json a line of JSON on stdout, so that programs can read errors too.
void say(bool as_json, const std::string& message) {
  const bool is_list = message.ends_with('\n');  // diagnostics, each with its place
  if (as_json)
    std::cout << json{{"error", message}}.dump(-1, ' ', false, json::error_handler_t::replace) << "\n"
              << std::flush;
  else
    std::cerr << (is_list ? "" : "vipctl: ") << ctl::printable(message, ctl::LineBreaks::stay)
              << (is_list ? "" : "\n");
}

int fail(const Options& options, const Error& error) {
  say(options.as_json, error.message);
  if (error.code == EACCES || error.code == EPERM) return exit_not_permitted;
  if (error.code == EINVAL) return exit_usage;
  return error.code == 0 ? exit_refused : exit_unreachable;
}

// Asks for one thing and prints the answer.
template <class ToText>
int ask(const Options& options, const json& request, ToText to_text,
        int bound = ctl::Client::question_bound) {
  auto client = ctl::Client::connect(options.run_dir);
  if (!client) return fail(options, client.error());
  const auto result = client->request(request, bound);
  if (!result) return fail(options, result.error());
  std::cout << (options.as_json ? result->dump(2) + "\n" : to_text(*result));
  return 0;
}

std::string text_of(const json& result) {
  const auto& said = ctl::part(result, "text");
  return ctl::printable(said.is_string() ? said.get<std::string>() : std::string(), ctl::LineBreaks::stay) +
         "\n";
}

int status(const Options& options) {
  return ask(options, {{"v", 1}, {"command", "status"}},
             [](const json& result) { return ctl::status_text(result, wants_colours(), columns()); });
}

int explain(const Options& options) {
  return ask(options, {{"v", 1}, {"command", "explain"}, {"router", options.router}}, ctl::explanation_text);
}

int switch_over(const Options& options) {
  return ask(options, {{"v", 1}, {"command", "switch"}, {"router", options.router}, {"back", options.back}},
             text_of, ctl::Client::command_bound);
}

int reload(const Options& options) {
  json request{{"v", 1}, {"command", "reload"}};
  if (!options.confirm.empty()) {
    const auto time = parse_duration(options.confirm);
    if (!time) return fail(options, Error{"--confirm: " + time.error().message, EINVAL});
    request["confirm"] = options.confirm;
  }
  return ask(options, request, text_of, ctl::Client::command_bound);
}

int confirm(const Options& options) {
  return ask(options, {{"v", 1}, {"command", "confirm"}}, text_of, ctl::Client::command_bound);
}

int diff(const Options& options) {
  const auto file = options.files.empty() ? "" : options.files.front();
  const auto result = ctl::diff(options.run_dir, file, options.node, options.as_json, std::cout, std::cerr);
  return result ? *result : fail(options, result.error());
}

int upgrade(const Options& options) {
  const auto result = ctl::upgrade(options.run_dir);
  if (!result) return fail(options, result.error());
  std::cout << (options.as_json ? result->dump(2) + "\n" : text_of(*result));
  return 0;
}

int record(const Options& options) {
  auto client = ctl::Client::connect(options.run_dir);
  if (!client) return fail(options, client.error());
  const auto result = client->request({{"v", 1}, {"command", "record"}});
  if (!result) return fail(options, result.error());
  const auto text = ctl::recording_text(ctl::text(*result, "recording"));
  if (!text) return fail(options, text.error());
  if (options.output.empty()) {
    std::cout << *text;
    return 0;
  }
  std::ofstream file(options.output);
  file << *text << std::flush;
  if (file) return 0;
  std::cerr << "vipctl: cannot write " << options.output << ": " << std::strerror(errno) << "\n";
  return exit_usage;
}

int show_events(const Options& options, ctl::EventsOptions query) {
  query.run_dir = options.run_dir;
  query.as_json = options.as_json;
  query.colours = wants_colours();
  const auto shown = ctl::show_events(query, std::cout, std::cerr);
  return shown ? 0 : fail(options, shown.error());
}

int list_events(const Options& options) {
  return show_events(options, options.events);
}

// On a terminal: a page that updates itself. Elsewhere: the current state, then each event as it comes, until
// interrupted.
int watch(const Options& options) {
  if (!options.as_json && ctl::Terminal::is_there()) {
    const auto watched = ctl::watch(options.run_dir, wants_colours());
    return watched ? 0 : fail(options, watched.error());
  }
  if (const auto there = ctl::Client::connect(options.run_dir); !there) return fail(options, there.error());
  if (!options.as_json)
    if (const int code = status(options); code != 0) return code;
  std::cout.flush();
  ctl::EventsOptions query;
  query.follow = true;
  query.since = "now";
  return show_events(options, query);
}
}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"vipctl shows, explains and controls a running vipd. See vipctl(8).", "vipctl"};
  Options options;
  int result = 0;
  app.add_option("--run-dir", options.run_dir, "directory of vipd's control socket")->capture_default_str();
  app.set_version_flag("--version", std::string("vipctl ") + VIPD_VERSION);
  app.add_flag("--json", options.as_json)->group("");  // may also stand before the command
  app.require_subcommand(1);
  app.fallthrough();

  const auto command = [&](const char* name, const char* what, int (*run)(const Options&)) {
    auto* sub = app.add_subcommand(name, what);
    sub->callback([&result, &options, sub, run] {
      if (options.as_json && sub->get_option_no_throw("--json") == nullptr)
        throw CLI::ValidationError(sub->get_name() + " has no option \"--json\"");
      result = run(options);
    });
    return sub;
  };
  const auto with_json = [&](CLI::App* sub) {
    sub->add_flag("--json", options.as_json, "print JSON");
    return sub;
  };
  const auto with_router = [&](CLI::App* sub) {
    sub->add_option("router", options.router, "name of the entry under virtual_routers")->required();
    return sub;
  };
  with_json(command("status", "show the state of every virtual router and check", status));
  with_json(command("watch", "show the state and the events, continuously updated", watch));
  const CLI::Validator not_empty(
      [](std::string& value) { return std::string(value.empty() ? "it is empty" : ""); }, "");
  auto* listing = with_json(command("events", "list past events, and new ones with --follow", list_events));
  listing->add_flag("--follow,-f", options.events.follow, "continue with new events");
  listing->add_option("--since,-S", options.events.since, "only from this time on: 5m, 11:27, yesterday ...")
      ->check(not_empty);
  listing->add_option("--until,-U", options.events.until, "only up to this time")->check(not_empty);
  listing->add_option("--severity,-p", options.events.severity, "minimum severity: P0, P1 or P2");
  listing->add_option("--router", options.events.router, "only events of this entry");
  listing->add_option("--lines,-n", options.events.lines, "only the last ones: a number, or all");
  listing->add_option("--directory", options.events.directory, "directory of the journal");
  with_json(with_router(command("explain", "explain the state and priority of an entry", explain)));
  auto* switching = with_json(with_router(command("switch", "hand an entry over to the peer", switch_over)));
  switching->add_flag("--back", options.back, "end the switch: take part by priority again");
  auto* comparing = with_json(command("diff", "show what a reload would change", diff));
  comparing->add_option("file", options.files, "file to compare; default: the one that vipd was started with")
      ->expected(0, 1);
  comparing->add_option("--node", options.node,
                        "read the file as this node; default: the node of the running vipd");
  auto* reloading = with_json(command("reload", "read the configuration again", reload));
  reloading->add_option("--confirm", options.confirm,
                        "roll back after this time, such as 30s, unless confirmed");
  with_json(command("confirm", "keep the changes of a reload with --confirm", confirm));
  with_json(
      command("upgrade", "replace vipd by the installed version without interrupting service", upgrade));
  auto* checking =
      with_json(command("check", "check configuration files for errors", [](const Options& each) {
        const auto files =
            each.files.empty() ? std::vector<std::string>{ctl::installed_configuration} : each.files;
        return ctl::check(files, each.node, each.as_json, std::cout, std::cerr);
      }));
  checking->add_option(
      "files", options.files,
      std::string("files to check, - for standard input; default: ") + ctl::installed_configuration);
  checking->add_option("--node", options.node,
                       "read the file as this node; default: every node that it names");
  auto* recording = command("record", "write the most recent protocol inputs, for replay", record);
  recording->add_option("--output", options.output, "file to write; default: standard output");
  auto* replaying = with_json(
      command("replay", "run a recording through the protocol and explain it", [](const Options& each) {
        return ctl::replay(each.files.front(), each.as_json, std::cout, std::cerr);
      }));
  replaying->add_option("file", options.files, "recording to read, - for standard input")
      ->required()
      ->expected(1);
  command("version", "print the version", [](const Options&) {
    std::cout << "vipctl " << VIPD_VERSION << "\n";
    return 0;
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) {
      const bool as_json =
          std::any_of(argv, argv + argc, [](std::string_view each) { return each == "--json"; });
      say(as_json, ctl::usage_error(app, error));
      return exit_usage;
    }
    app.exit(error);  // --help, --version
  }
  errno = 0;  // stays 0 if an earlier flush has failed, whose reason is lost
  if (std::cout.flush()) return result;
  std::cerr << "vipctl: cannot write the output: "
            << (errno == 0 ? "it is full or closed" : std::strerror(errno)) << "\n";
  return exit_usage;
}
