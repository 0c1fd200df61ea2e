// The part of systemd that starts and stops units, on a message bus of a test: writes down what it is asked
// for, and says after a while that it is done. "broken.service" fails, "missing.service" is not there.
//
//   fake_systemd LOG
#include <systemd/sd-bus.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

constexpr std::uint64_t job_time_us = 300'000;

struct Job {
  std::string path;
  std::string unit;
};
std::uint32_t jobs = 0;
std::FILE* log_file = nullptr;

void write_down(const char* what, const char* unit) {
  std::fprintf(log_file, "%s %s\n", what, unit);
  std::fflush(log_file);
}

int job_over(sd_event_source* source, std::uint64_t, void* data) {
  const auto* job = static_cast<Job*>(data);
  sd_bus* bus = nullptr;
  sd_bus_default_system(&bus);
  const char* result = job->unit == "broken.service" ? "failed" : "done";
  write_down(result, job->unit.c_str());
  sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "JobRemoved",
                     "uoss", 1U, job->path.c_str(), job->unit.c_str(), result);
  sd_bus_unref(bus);
  delete job;
  sd_event_source_unref(source);
  return 0;
}

int begin(sd_bus_message* message, void*, sd_bus_error* error) {
  const char* unit = nullptr;
  const char* mode = nullptr;
  if (const int code = sd_bus_message_read(message, "ss", &unit, &mode); code < 0) return code;
  const std::string method = sd_bus_message_get_member(message);
  write_down(method.c_str(), unit);
  if (std::string(unit) == "missing.service")
    return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not loaded.", unit);
  auto* job = new Job{"/org/freedesktop/systemd1/job/" + std::to_string(++jobs), unit};
  sd_event* loop = sd_bus_get_event(sd_bus_message_get_bus(message));
  sd_event_source* source = nullptr;
  sd_event_add_time_relative(loop, &source, CLOCK_MONOTONIC, job_time_us, 1000, job_over, job);
  return sd_bus_reply_method_return(message, "o", job->path.c_str());
}

int subscribe(sd_bus_message* message, void*, sd_bus_error*) {
  return sd_bus_reply_method_return(message, "");
}

const sd_bus_vtable manager[] = {SD_BUS_VTABLE_START(0),
                                 SD_BUS_METHOD("StartUnit", "ss", "o", begin, SD_BUS_VTABLE_UNPRIVILEGED),
                                 SD_BUS_METHOD("StopUnit", "ss", "o", begin, SD_BUS_VTABLE_UNPRIVILEGED),
                                 SD_BUS_METHOD("Subscribe", "", "", subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
                                 SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
                                 SD_BUS_VTABLE_END};
}  // namespace

int main(int argc, char** argv) {
  log_file = argc > 1 ? std::fopen(argv[1], "a") : nullptr;
  sd_event* loop = nullptr;
  sd_bus* bus = nullptr;
  // The bus may not be listening yet.
  for (int i = 0; i < 50 && sd_bus_default_system(&bus) < 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const bool ready = log_file != nullptr && bus != nullptr && sd_event_default(&loop) >= 0 &&
                     sd_bus_attach_event(bus, loop, SD_EVENT_PRIORITY_NORMAL) >= 0 &&
                     sd_bus_add_object_vtable(bus, nullptr, "/org/freedesktop/systemd1",
                                              "org.freedesktop.systemd1.Manager", manager, nullptr) >= 0 &&
                     sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) >= 0;
  if (!ready) return EXIT_FAILURE;
  write_down("ready", "");
  return sd_event_loop(loop) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
