// A refusal of the kernel becomes an error that names the purpose of the call.
#include <cap-ng.h>
#include <doctest/doctest.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "io/advert_sender.h"
#include "io/announce_socket.h"
#include "io/channel.h"
#include "io/claim_socket.h"
#include "io/process.h"
#include "io/sender_tap.h"
#include "io/shared_memory.h"
#include "netlink/socket.h"
#include "programs/common/landlock.h"
#include "programs/common/log.h"
#include "programs/common/sandbox.h"
#include "programs/common/scheduling.h"
#include "programs/common/seccomp_filter.h"
#include "tests/network.h"
#include "tests/system/limits.h"

using namespace vipd;
using namespace vipd::test;

namespace {

template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "it has worked" : result.error().message;
}

// As a kernel that knows no filters, or a container that permits none.
void without_seccomp() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ALLOW),
                                                                seccomp_release);
  seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
  seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(prctl), 1,
                   SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
  seccomp_load(filter.get());
}

void without_capabilities() {
  capng_clear(CAPNG_SELECT_BOTH);
  capng_apply(CAPNG_SELECT_BOTH);
}

}  // namespace

TEST_CASE("a missing descriptor is an error that names its purpose") {
  const auto sender = IpAddress::parse("192.0.2.2").value();
  struct Case {
    std::string expected;
    std::function<std::string()> open;
  };
  const Case cases[] = {
      {"creating a raw socket", [] { return message_of(io::open_advert_socket(Family::ipv4)); }},
      {"creating a raw socket", [] { return message_of(io::open_advert_socket(Family::ipv6)); }},
      {"opening the announcement socket", [] { return message_of(io::AnnounceSocket::open()); }},
      {"creating a packet socket", [] { return message_of(io::ClaimSocket::open(Family::ipv4, "lo", 1)); }},
      {"creating an ICMPv6 socket", [] { return message_of(io::ClaimSocket::open(Family::ipv6, "lo", 1)); }},
      {"opening a packet socket for 192.0.2.2", [&] { return message_of(io::SenderTap::open(sender, 1)); }},
      {"creating a channel", [] { return message_of(io::Channel::pair()); }},
      {"creating a memory file", [] { return message_of(io::SharedMemory::create("test", 4096)); }},
      {"opening /dev/null", [] { return message_of(io::spawn({"/bin/true"})); }},
      {"opening a netlink socket", [] { return message_of(netlink::Socket::open(0)); }},
      {"taking over process 1", [] { return message_of(io::adopt_child(1)); }},
  };
  for (const auto& each : cases) {
    std::string said;
    {
      const Limit no_further(RLIMIT_NOFILE, one_more() - 1);
      said = each.open();
    }
    CAPTURE(each.expected);
    CHECK(said.find(each.expected) != std::string::npos);
    CHECK(said.ends_with("Too many open files"));
  }
}

TEST_CASE("an operation on something that has gone is an error that names it") {
  auto process = io::spawn({"/bin/true"}).value();
  REQUIRE(eventually([&] { return io::reap(process).value().has_value(); }));
  const auto number = std::to_string(process.pid);
  CHECK(message_of(io::reap(process)) == "waiting for process " + number + ": No child processes");
  CHECK(message_of(io::kill(process, SIGTERM)) ==
        "sending signal 15 to process " + number + ": No such process");
  CHECK(message_of(io::kill_group(process.pid, SIGTERM)) ==
        "sending signal 15 to process group " + number + ": No such process");
  CHECK(message_of(io::ClaimSocket::open(Family::ipv4, "nowhere", 4711)).find("binding to the interface: ") !=
        std::string::npos);
  CHECK(message_of(netlink::Socket::open(0).value().join(4711))
            .starts_with("subscribing to netlink group 4711: "));
}

TEST_CASE("shared memory larger than the file size limit of the process is refused") {
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  std::string said;
  {
    const Limit little(RLIMIT_FSIZE, 100);
    said = message_of(io::SharedMemory::create("test", 4096));
  }
  std::signal(SIGXFSZ, handler);
  CHECK(said == "sizing shared memory: File too large");
}

TEST_CASE("a message that no channel could carry is refused with its size") {
  auto [ours, theirs] = io::Channel::pair().value();
  const std::vector<int> descriptors(1000, STDERR_FILENO);
  CHECK(message_of(ours.send(1, {}, descriptors)) ==
        "a message of 0 bytes and 1000 descriptors is too large");
  const std::vector<int> closed{-1};
  CHECK(message_of(ours.send(1, {}, closed)) == "sending to the other process: Bad file descriptor");
}

TEST_CASE("without the capabilities vipd continues without real-time priority, and logs the remedy") {
  const auto said = errors_of([] {
    const Limit no_memory(RLIMIT_MEMLOCK, 0);
    const Limit no_priority(RLIMIT_RTPRIO, 0);
    without_capabilities();
    programs::Log log("vipd");
    programs::ask_for_priority(log);
  });
  CHECK(contains(
      said,
      "warning: no real-time priority (Operation not permitted): on a busy machine advertisements may "
      "be late; CAP_SYS_NICE, and a cgroup with a real-time budget, give it\n"));
  CHECK(contains(
      said,
      "warning: memory cannot be locked (Operation not permitted): under memory pressure advertisements "
      "may be late; CAP_IPC_LOCK, and LimitMEMLOCK=infinity or CAP_SYS_RESOURCE, allow it\n"));
}

TEST_CASE("a sandbox that the kernel refuses is logged, and the program continues without it") {
  // The reason is libseccomp's to choose.
  const auto no_filter = errors_of([] {
    without_seccomp();
    std::fprintf(stderr, "%s", message_of(programs::restrict_system_calls(programs::Part::router)).c_str());
  });
  CHECK(no_filter.starts_with("the kernel does not accept a filter of system calls: "));
  const auto without_rights = errors_of([] {
    without_capabilities();
    std::fprintf(stderr, "%s", message_of(programs::restrict_files({})).c_str());
  });
  const bool has_landlock = without_rights != "it has worked";
  if (has_landlock) CHECK(without_rights == "Landlock: taking effect: Operation not permitted");

  const auto without_descriptors = errors_of([] {
    const Limit no_further(RLIMIT_NOFILE, one_more() - 1);
    programs::Log log("vipd-router");
    programs::enter_sandbox(log, programs::Part::router);
  });
  CAPTURE(without_descriptors);
  if (has_landlock)
    CHECK(contains(
        without_descriptors,
        "access to files is not restricted: Landlock: making a set of rules: Too many open files\n"));
}
