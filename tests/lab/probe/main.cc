// lab_probe: the client of the laboratory, and the echo server that it asks.
//
// With LAB_PROBE_NO_STALLS in its environment it does not look for stalls: where time is simulated there are
// none.
//
// It runs inside the lab's namespaces, under the control of tests/lab/vipdlab/probe.py, which reads the
// lines it prints. It measures and judges nothing: each probe becomes one line, and the lab computes outages.
//
//   lab_probe echo NAME PORT            answers UDP datagrams with NAME, from the address that was asked
//   lab_probe client TASK...            udp:LABEL,ADDRESS,PORT,RATE          datagrams a second
//                                       http:LABEL,ADDRESS,PORT,RATE,TIMEOUT  requests a second; milliseconds
//   lab_probe watch INTERFACE TASK...   neighbour:LABEL,ADDRESS,PERIOD        microseconds between two
//                                                                             questions
//                                       adverts:MAC,MAC...                    VRRP advertisements of these
//   lab_probe stalls                    only the stalls of the machine itself, at real-time priority where
//                                       that is granted: no load of the test's own is taken for one
//   lab_probe flood INTERFACE RATE MS   frames a second, for so long; in turn the frames on stdin, a line of
//                                       hexadecimal digits each
//
// Lines, times in nanoseconds of CLOCK_MONOTONIC; "-" for what did not come:
//   u LABEL SENT LATENCY NODE           a datagram; a reply after 20 ms counts as none
//   h LABEL SENT LATENCY STATUS NODE    an HTTP request with a connection of its own; STATUS or a reason
//   n LABEL SENT MAC,MAC                who answered one ARP request or neighbour solicitation
//   g LABEL SEEN MAC                    an unsolicited announcement (gratuitous ARP,
//                                       unsolicited NA)
//   v MAC SEEN FAMILY VRID PRIORITY CENTISECONDS    a VRRPv3 advertisement
//   s SEEN LATE                         the machine stalled: a sleep of 1 ms took LATE (3 ms and more) longer
//   t NOW                               all that was printed so far is on its way: a watermark
#include <sys/prctl.h>

#include <charconv>
#include <csignal>
#include <cstdlib>

#include "tests/lab/probe/adverts.h"
#include "tests/lab/probe/flood.h"
#include "tests/lab/probe/http.h"
#include "tests/lab/probe/neighbour.h"
#include "tests/lab/probe/stalls.h"
#include "tests/lab/probe/udp.h"

namespace lab_probe {

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::int64_t number(const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    usage(fmt::format("\"{}\" is no number from {} to {}", text, least, most));
  return value;
}

std::unique_ptr<Task> make_task(Loop& loop, const std::string& text, const std::string& interface) {
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const auto parts = colon == std::string::npos ? std::vector<std::string>{}
                                                : split(std::string_view(text).substr(colon + 1), ',');
  const auto port = [&parts] { return static_cast<std::uint16_t>(number(parts[2], 1, 65535)); };
  const auto period = [&parts] { return 1'000'000'000 / number(parts[3], 1, 100'000); };
  if (kind == "udp" && parts.size() == 4)
    return std::make_unique<UdpClient>(loop, parts[0], Address::parse(parts[1], port()), period());
  if (kind == "http" && parts.size() == 5)
    return std::make_unique<HttpClient>(loop, parts[0], Address::parse(parts[1], port()), period(),
                                        number(parts[4], 1, 60'000) * millisecond);
  if (kind == "adverts" && !parts.empty() && !interface.empty())
    return std::make_unique<Adverts>(loop, interface, parts);
  if (kind == "neighbour" && parts.size() == 3 && !interface.empty())
    return std::make_unique<Neighbour>(loop, interface, parts[0], Address::parse(parts[1]),
                                       number(parts[2], 100, 10'000'000) * 1000);
  usage(fmt::format("\"{}\" is no task", text));
}

int run_tasks(const std::vector<std::string>& texts, const std::string& interface) {
  ask_for_priority();
  prctl(PR_SET_TIMERSLACK, 1);
  Loop loop;
  std::vector<std::unique_ptr<Task>> tasks;
  for (const auto& text : texts) tasks.push_back(make_task(loop, text, interface));
  if (tasks.empty()) usage("nothing to do");
  if (!std::getenv("LAB_PROBE_NO_STALLS")) watch_all_processors(Priority::ordinary);
  loop.run(tasks);
  return 0;
}

int run_stalls() {
  Loop loop;  // before the threads: they inherit the blocked signals
  watch_all_processors(Priority::real_time);
  std::vector<std::unique_ptr<Task>> none;
  loop.run(none);
  return 0;
}

}  // namespace lab_probe

using namespace lab_probe;

int main(int count, char** values) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // the lab that started us is gone
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() == 3 && arguments[0] == "echo")
    return run_echo(arguments[1], static_cast<std::uint16_t>(number(arguments[2], 1, 65535)));
  if (arguments.size() >= 2 && arguments[0] == "client")
    return run_tasks({arguments.begin() + 1, arguments.end()}, {});
  if (arguments.size() >= 3 && arguments[0] == "watch")
    return run_tasks({arguments.begin() + 2, arguments.end()}, arguments[1]);
  if (arguments.size() == 1 && arguments[0] == "stalls") return run_stalls();
  if (arguments.size() == 4 && arguments[0] == "flood")
    return flood(arguments[1], number(arguments[2], 1, 10'000'000), number(arguments[3], 1, 600'000));
  usage("what shall I do?");
}
