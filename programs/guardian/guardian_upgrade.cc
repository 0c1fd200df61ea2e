// The guardian and the next version of this program: it hands over its state and becomes that program, with
// the same process and children; or it is that program, and takes over. programs/guardian/handover has the state,
// programs/guardian/upgrade the test of the new program before.
//
// The router and the monitor of the previous program may read only the format of release 0.1: until each is
// replaced, its link uses the format of the handover. They are not connected with programs of this version,
// and not handed over once more.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "conf/print.h"
#include "events/names.h"
#include "programs/common/clock.h"
#include "programs/guardian/guardian.h"
#include "programs/guardian/handover.h"

namespace vipd::programs {

namespace {
constexpr const char* programs_are_replaced =
    "vipd-router or vipd-monitor is being replaced: try again in a moment";
constexpr const char* hooks_are_running = "an upgrade would kill a running hook: try again when it has ended";

std::string cannot_take_over(const std::string& program, const std::string& why) {
  return fmt::format("{} cannot take over: {}; vipd {} continues unchanged", program, why, VIPD_VERSION);
}
}  // namespace

Result<std::unique_ptr<Guardian>> Guardian::take_over(Log& log, Setting setting, conf::Config config,
                                                      const Handover& handover) {
  io::Fd lock(handover.lock);
  io::Fd control(handover.control);
  auto hold = TRY(Hold::adopt(io::Fd(handover.hold)));
  TRY_VOID(keep_open({lock.get(), control.get(), hold.fd()}, false));
  std::unique_ptr<Guardian> guardian(new Guardian(log, std::move(setting), std::move(config), std::move(lock),
                                                  std::move(control), std::move(hold)));
  TRY_VOID(guardian->adopt(guardian->router_, guardian->router_link_, handover.router, handover.format));
  TRY_VOID(guardian->adopt(guardian->monitor_, guardian->monitor_link_, handover.monitor, handover.format));
  TRY_VOID(keep_open(handover.claims, false));
  for (const auto fd : handover.claims) guardian->reservations_.adopt(io::Fd(fd));
  for (const auto pid : handover.ending) guardian->reap_later(pid);
  guardian->started_ = handover.started;
  guardian->router_ready_ = true;
  guardian->told_ready_ = true;
  guardian->events_.tell(events::upgraded, fmt::format("vipd {} continues where vipd {} stopped",
                                                       VIPD_VERSION, handover.version));
  return guardian;
}

Result<> Guardian::adopt(Child& child, RawLink& link, const HandedProgram& handed, ArchiveFormat format) {
  child.process = TRY(io::adopt_child(handed.pid));
  child.ended = loop_.watch(child.process->pidfd.get(), [this, &child] { child_ended(child); });
  child.started = handed.started;
  child.restarts = handed.restarts;
  child.outdated = true;
  link.attach(TRY(io::Channel::adopt(io::Fd(handed.channel))), format);
  return {};
}

void Guardian::reap_later(std::int32_t pid) {
  auto process = io::adopt_child(pid);
  if (!process) return;  // it has been reaped
  auto watch = loop_.watch(process->pidfd.get(), [this, pid] {
    const auto place =
        std::find_if(ending_.begin(), ending_.end(), [&](const auto& each) { return each.first.pid == pid; });
    if (const auto exit = io::reap(place->first); !exit || *exit) ending_.erase(place);
  });
  ending_.emplace_back(std::move(*process), std::move(watch));
}

// As after a crash: its successor adopts its state.
void Guardian::replace_outdated(Child& child) {
  (void)io::kill(*child.process, SIGKILL);
}

bool Guardian::replacing_programs() const {
  return !router_is_there() || stand_in_.holding() || router_.outdated || monitor_.outdated;
}

void Guardian::begin_upgrade(std::uint64_t id) {
  const auto refuse = [&](const std::string& why) {
    events_.tell(events::upgrade_refused, "upgrade refused: " + why);
    monitor_link_.send(Upgraded{id, false, why});
  };
  if (stopping_) return refuse("vipd is stopping");
  if (upgrade_) return refuse("another upgrade is under way");
  if (configuration_.deadline() != never)
    return refuse(
        "a reload is unconfirmed and could not roll back after an upgrade: run \"vipctl confirm\" first");
  if (replacing_programs() || stand_in_.router_is_late()) return refuse(programs_are_replaced);
  if (hooks_.busy()) return refuse(hooks_are_running);
  auto begun = Upgrade::begin(loop_, setting_.invocation.program, handover(), now(),
                              [this, id](const Result<std::string>& version) { checked(id, version); });
  if (!begun) return refuse(cannot_take_over(setting_.invocation.program, begun.error().message));
  upgrade_ = std::move(*begun);
}

void Guardian::checked(std::uint64_t id, const Result<std::string>& version) {
  const auto over = std::move(upgrade_);
  const auto refuse = [&](const std::string& why) {
    const auto text = cannot_take_over(setting_.invocation.program, why);
    events_.tell(events::upgrade_refused, text);
    monitor_link_.send(Upgraded{id, false, text});
  };
  if (!version) return refuse(version.error().message);
  if (stopping_ || replacing_programs()) return refuse(programs_are_replaced);
  if (hooks_.busy()) return refuse(hooks_are_running);
  const auto text = fmt::format("vipd {} replaces vipd {}", *version, VIPD_VERSION);
  log_.notice(text);
  monitor_link_.send(Upgraded{id, true, text});
  if (const auto failed = become_new_program(); !failed) refuse(failed.error().message);
}

Handover Guardian::handover() const {
  const auto hand = [](const Child& child, const RawLink& link) {
    return HandedProgram{child.process ? child.process->pid : 0, link.fd(), child.started, child.restarts};
  };
  return {.version = VIPD_VERSION,
          .configuration = conf::print(configuration_.current()),
          .started = started_,
          .lock = lock_.get(),
          .control = control_.get(),
          .hold = hold_.fd(),
          .claims = reservations_.descriptors(),
          .router = hand(router_, router_link_),
          .monitor = hand(monitor_, monitor_link_),
          .ending = {},
          .format = ArchiveFormat::tagged};
}

// Returns only if it failed; then nothing has changed, except that running scripts were ended.
Result<> Guardian::become_new_program() {
  if (!monitor_.process || !monitor_link_.attached()) return failure("vipd-monitor is being replaced");
  auto state = handover();
  script_runs_.clear();
  state.ending = scripts_.abandon();
  const auto packed = TRY(pack(state));
  std::vector<int> kept{state.lock,           state.control,         state.hold,
                        state.router.channel, state.monitor.channel, packed.get()};
  kept.insert(kept.end(), state.claims.begin(), state.claims.end());
  auto arguments = setting_.invocation.arguments;
  arguments.insert(arguments.begin(),
                   {setting_.invocation.program, "--handover", std::to_string(packed.get())});
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  TRY_VOID(keep_open(kept, true));
  execv(argv[0], argv.data());
  const auto failed = errno;
  TRY_VOID(keep_open(kept, false));
  return system_failure("executing it", failed);
}

}  // namespace vipd::programs
