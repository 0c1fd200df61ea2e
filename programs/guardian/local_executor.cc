#include "programs/guardian/local_executor.h"

#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "checks/settings/script_settings.h"
#include "io/pipe.h"

namespace vipd::programs {

namespace {

constexpr Duration grace = std::chrono::milliseconds(500);
constexpr std::size_t kept_output = 4096;
constexpr std::size_t most_output = 1 << 20;  // then the pipe is closed, and the script gets SIGPIPE

std::vector<gid_t> groups_of(const checks::ScriptUser& user) {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  if (::getgrouplist(user.name.c_str(), user.gid, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(std::max(count, 0)));
    if (::getgrouplist(user.name.c_str(), user.gid, groups.data(), &count) < 0) count = 0;
  }
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return groups;
}

// Reads the available output. False at its end, and when there has been too much of it.
template <class Capture>
bool read_some(Capture& capture) {
  std::array<char, 4096> buffer;
  for (;;) {
    const auto count = ::read(capture.fd.get(), buffer.data(), buffer.size());
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) return false;
    const auto size = static_cast<std::size_t>(count);
    capture.text.append(buffer.data(), std::min(size, kept_output - capture.text.size()));
    capture.seen += size;
    if (capture.seen > most_output) return false;
    if (size < buffer.size()) return true;
  }
}

std::string first_line(const std::string& text) {
  auto line = text.substr(0, text.find('\n'));
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace

// What the caller of run_script holds. The run it names may be over.
class LocalExecutor::Handle : public checks::ScriptRun {
 public:
  Handle(LocalExecutor& executor, std::uint64_t number) : executor_(executor), number_(number) {}
  ~Handle() override { executor_.cancel(number_); }

 private:
  LocalExecutor& executor_;
  std::uint64_t number_;
};

LocalExecutor::LocalExecutor(io::Loop& loop, std::function<TimePoint()> clock)
    : loop_(loop), clock_(std::move(clock)) {}

LocalExecutor::~LocalExecutor() {
  for (auto& [number, run] : runs_) {
    (void)io::kill_group(run.process.pid, SIGKILL);
    (void)io::reap(run.process);
  }
}

std::vector<std::int32_t> LocalExecutor::abandon() {
  std::vector<std::int32_t> pids;
  for (auto& [number, run] : runs_) {
    (void)io::kill_group(run.process.pid, SIGKILL);
    pids.push_back(run.process.pid);
  }
  runs_.clear();
  return pids;
}

void LocalExecutor::replace(const std::vector<checks::CheckConfig>& checks) {
  scripts_.clear();
  for (const auto& check : checks)
    if (check.kind == "script") scripts_.emplace(check.name, make_script(check));
}

LocalExecutor::Program LocalExecutor::make_script(const checks::CheckConfig& check) {
  Diagnostics unread(
      {}, {});  // mistakes were reported when the file was read; what is wrong since then shows when it runs
  Reader reader(check.settings, unread, check.name);
  const auto read = checks::read_script(reader);
  const auto& settings = static_cast<const checks::ScriptSettings&>(*read);
  auto script = prepare(settings.argv, settings.user);
  script.options.environment->push_back("VIPD_CHECK=" + check.name);
  return script;
}

LocalExecutor::Program LocalExecutor::prepare(std::vector<std::string> argv, const std::string& user_name) {
  Program program;
  program.argv = std::move(argv);
  if (program.argv.empty()) program.trouble = "no script is given";
  program.options.working_directory = "/";
  program.options.process_group = true;
  program.options.death_signal = SIGKILL;
  program.options.environment = std::vector<std::string>{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
  // Without root's rights and without a configured user, the program runs as the user of this process.
  if (user_name.empty() && ::geteuid() != 0) return program;
  const auto user = checks::find_script_user(user_name);
  if (!user) {
    program.trouble = user.error().message;
    return program;
  }
  if (user->uid != 0) program.options.capabilities.emplace();
  if (user->uid == ::geteuid()) return program;
  program.options.user = user->uid;
  program.options.group = user->gid;
  program.options.groups = groups_of(*user);
  return program;
}

std::unique_ptr<checks::ScriptRun> LocalExecutor::run_program(const std::string& name, const Program& program,
                                                              std::vector<std::string> environment,
                                                              Duration timeout, Done done) {
  checks::ScriptOutcome outcome;
  outcome.trouble = program.trouble;
  if (outcome.trouble.empty()) {
    auto with_environment = program;
    auto& all = *with_environment.options.environment;
    all.insert(all.end(), environment.begin(), environment.end());
    const auto number = start(name, with_environment, timeout);
    if (number) {
      auto& run = runs_.at(*number);
      run.done = std::move(done);
      run.patient = true;
      return std::make_unique<Handle>(*this, *number);
    }
    outcome.trouble = number.error().message;
  }
  done(outcome);
  return nullptr;
}

std::unique_ptr<checks::ScriptRun> LocalExecutor::run_script(const std::string& check, Duration timeout,
                                                             Done done) {
  // An earlier run of the check may still be ending: it gets no further time.
  for (auto& [number, run] : runs_)
    if (run.check == check) (void)io::kill_group(run.process.pid, SIGKILL);

  checks::ScriptOutcome outcome;
  const auto found = scripts_.find(check);
  if (found == scripts_.end())
    outcome.trouble = "there is no script check " + check;
  else if (!found->second.trouble.empty())
    outcome.trouble = found->second.trouble;
  if (outcome.trouble.empty()) {
    const auto number = start(check, found->second, timeout);
    if (number) {
      runs_.at(*number).done = std::move(done);
      return std::make_unique<Handle>(*this, *number);
    }
    outcome.trouble = number.error().message;
  }
  done(outcome);
  return nullptr;
}

Result<std::uint64_t> LocalExecutor::start(const std::string& name, const Program& program,
                                           Duration timeout) {
  auto output = TRY(io::make_pipe());
  auto errors = TRY(io::make_pipe());
  auto options = program.options;
  options.output = output.theirs.get();
  options.error = errors.theirs.get();
  Run run;
  run.process = TRY(io::spawn(program.argv, options));
  run.check = name;
  run.output.fd = std::move(output.ours);
  run.errors.fd = std::move(errors.ours);
  run.deadline = clock_() + timeout;

  const auto number = ++numbers_;
  auto& kept = runs_.emplace(number, std::move(run)).first->second;
  kept.ended = loop_.watch(kept.process.pidfd.get(), [this, number] { process_ended(number); });
  watch_output(number, kept.output);
  watch_output(number, kept.errors);
  return number;
}

// The address of the capture stays valid during its run: std::map does not move its values.
void LocalExecutor::watch_output(std::uint64_t, Capture& capture) {
  capture.watch = loop_.watch(capture.fd.get(), [&capture] {
    if (read_some(capture)) return;
    capture.watch.reset();
    capture.fd.reset();
  });
}

void LocalExecutor::process_ended(std::uint64_t number) {
  auto& run = runs_.at(number);
  // Before the process number is free again: kill the processes that it has left behind and those that hold
  // its pipes open.
  (void)io::kill_group(run.process.pid, SIGKILL);
  const auto exit = io::reap(run.process);
  if (exit && !*exit) return;  // called for nothing
  for (auto* capture : {&run.output, &run.errors})
    if (capture->fd) read_some(*capture);

  checks::ScriptOutcome outcome;
  if (exit) {
    outcome.end =
        (*exit)->signalled ? checks::ScriptOutcome::End::signalled : checks::ScriptOutcome::End::exited;
    outcome.status = (*exit)->status;
  } else {
    outcome.trouble = exit.error().message;
  }
  if (run.late) outcome.end = checks::ScriptOutcome::End::timed_out;
  outcome.output = first_line(run.output.text);
  outcome.errors = first_line(run.errors.text);
  const auto done = std::move(run.done);
  runs_.erase(number);
  if (done) done(outcome);
}

void LocalExecutor::terminate(Run& run, TimePoint now) {
  (void)io::kill_group(run.process.pid, SIGTERM);
  run.terminating = true;
  run.deadline = now + grace;
}

void LocalExecutor::cancel(std::uint64_t number) {
  const auto found = runs_.find(number);
  if (found == runs_.end()) return;
  found->second.done = nullptr;
  if (!found->second.terminating) terminate(found->second, clock_());
}

void LocalExecutor::step(TimePoint now) {
  std::vector<Done> late;
  for (auto& [number, run] : runs_) {
    if (run.deadline > now) continue;
    if (run.terminating) {
      (void)io::kill_group(run.process.pid, SIGKILL);
      run.deadline = never;  // the kernel tells when it is gone
      continue;
    }
    terminate(run, now);
    run.late = true;
    if (run.done && !run.patient) late.push_back(std::exchange(run.done, nullptr));
  }
  for (const auto& done : late) done({.end = checks::ScriptOutcome::End::timed_out});
}

TimePoint LocalExecutor::next_deadline() const {
  TimePoint earliest = never;
  for (const auto& [number, run] : runs_) earliest = std::min(earliest, run.deadline);
  return earliest;
}

}  // namespace vipd::programs
