// vipd-units: starts or stops systemd units over D-Bus and waits until that is done: the hook for services
// that must run only on the Active. A separate program, which vipd starts like other hooks, so that neither
// the library nor a hanging bus is in the guardian; if it takes too long, vipd kills it like any other hook.
//
//   vipd-units start|stop UNIT...      exit code 0: all succeeded; 1: standard error names those that failed
#include <systemd/sd-bus.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>

namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* object = "/org/freedesktop/systemd1";
constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr const char* no_such_unit = "org.freedesktop.systemd1.NoSuchUnit";

struct BusFree {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct MessageFree {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Bus = std::unique_ptr<sd_bus, BusFree>;
using Message = std::unique_ptr<sd_bus_message, MessageFree>;

// The pending jobs of systemd, and their units.
struct Jobs {
  std::map<std::string, std::string> pending;
  std::map<std::string, std::string> ended_early;  // before their names were known: job and result
  int failed = 0;

  void ended(const std::string& job, const std::string& result) {
    const auto found = pending.find(job);
    if (found == pending.end()) {
      ended_early[job] = result;
      return;
    }
    if (result != "done") {
      std::fprintf(stderr, "%s: %s\n", found->second.c_str(), result.c_str());
      ++failed;
    }
    pending.erase(found);
  }
};

int say(const char* what, int code) {
  std::fprintf(stderr, "%s: %s\n", what, std::strerror(-code));
  return 1;
}

int job_removed(sd_bus_message* message, void* jobs, sd_bus_error*) {
  std::uint32_t number = 0;
  const char* job = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(message, "uoss", &number, &job, &unit, &result) >= 0)
    static_cast<Jobs*>(jobs)->ended(job, result);
  return 0;
}

void begin(sd_bus* bus, bool start, const std::string& unit, Jobs& jobs) {
  sd_bus_error error{};
  sd_bus_message* raw = nullptr;
  const int code = sd_bus_call_method(bus, service, object, manager, start ? "StartUnit" : "StopUnit", &error,
                                      &raw, "ss", unit.c_str(), "replace");
  const Message reply(raw);
  const char* job = nullptr;
  if (code >= 0 && sd_bus_message_read(reply.get(), "o", &job) >= 0) {
    jobs.pending[job] = unit;
    if (const auto early = jobs.ended_early.find(job); early != jobs.ended_early.end())
      jobs.ended(job, std::string(early->second));
  } else if (start ||
             !sd_bus_error_has_name(&error, no_such_unit)) {  // a unit that does not exist does not run
    std::fprintf(stderr, "%s: %s\n", unit.c_str(), error.message ? error.message : std::strerror(-code));
    ++jobs.failed;
  }
  sd_bus_error_free(&error);
}
}  // namespace

int main(int argc, char** argv) {
  const bool start = argc > 2 && std::strcmp(argv[1], "start") == 0;
  if (!start && (argc < 3 || std::strcmp(argv[1], "stop") != 0)) {
    std::fputs("vipd-units is a part of vipd, which starts it: run vipd(8)\n", stderr);
    return 2;
  }
  sd_bus* raw = nullptr;
  if (const int code = sd_bus_open_system(&raw); code < 0) return say("connecting to the system bus", code);
  const Bus bus(raw);
  Jobs jobs;
  int code =
      sd_bus_match_signal(bus.get(), nullptr, service, object, manager, "JobRemoved", job_removed, &jobs);
  if (code >= 0)
    code = sd_bus_call_method(bus.get(), service, object, manager, "Subscribe", nullptr, nullptr, "");
  if (code < 0) return say("asking systemd for its signals", code);
  for (int i = 2; i < argc; ++i) begin(bus.get(), start, argv[i], jobs);
  while (!jobs.pending.empty()) {
    code = sd_bus_process(bus.get(), nullptr);
    if (code < 0) return say("listening to systemd", code);
    if (code == 0) sd_bus_wait(bus.get(), UINT64_MAX);
  }
  return jobs.failed == 0 ? 0 : 1;
}
