// A network for tests: a veth pair between the test's own network namespace and a second one. Everything is
// gone when the object is, and with the namespaces in any case. Refuses to run on the host's network.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "io/clock.h"
#include "io/fd.h"

namespace vipd::test {

inline std::string link_target(const char* path) {
  std::array<char, 64> target{};
  const auto size = readlink(path, target.data(), target.size() - 1);
  return size > 0 ? std::string(target.data()) : std::string();
}

// Changes nothing unless we are in a network namespace of our own (see tests/in_namespace).
inline void require_own_namespace() {
  REQUIRE_MESSAGE(link_target("/proc/self/ns/net") != link_target("/proc/1/ns/net"),
                  "run this as: unshare -Urnm tests/in_namespace build/system_tests");
}

inline void run(const std::string& command) {
  require_own_namespace();
  REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);
}

// The standard output of a command.
inline std::string output_of(const std::string& command) {
  require_own_namespace();
  std::string output;
  auto* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> part;
  while (const auto size = fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), size);
  pclose(pipe);
  return output;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// errno values as words that doctest can print: "0 0 22".
inline std::string text(const std::vector<int>& numbers) {
  std::string all;
  for (const int number : numbers) all += (all.empty() ? "" : " ") + std::to_string(number);
  return all;
}

// True as soon as the condition holds; false when it does not within the time.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds time = std::chrono::seconds(30)) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

inline bool readable(int fd, int milliseconds = 30'000) {
  pollfd wait{fd, POLLIN, 0};
  return poll(&wait, 1, milliseconds) == 1;
}

// Another network namespace, as the other machine on the cable.
class Elsewhere {
 public:
  explicit Elsewhere(std::string name)
      : name_(std::move(name)), home_(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) {
    test::run("ip netns add " + name_);
    there_ = io::Fd(open(("/run/netns/" + name_).c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(there_);
  }
  Elsewhere(const Elsewhere&) = delete;
  ~Elsewhere() {
    there_.reset();
    [[maybe_unused]] const int result = std::system(("ip netns del " + name_).c_str());
  }

  const std::string& name() const { return name_; }

  // Sockets that `action` opens stay there.
  template <class Action>
  auto inside(Action action) const {
    struct Return {
      int home;
      ~Return() { setns(home, CLONE_NEWNET); }
    } there{home_.get()};
    REQUIRE(setns(there_.get(), CLONE_NEWNET) == 0);
    return action();
  }
  void run(const std::string& command) const {
    inside([&] { test::run(command); });
  }

 private:
  std::string name_;
  io::Fd home_;
  io::Fd there_;
};

inline bool is_running(const std::string& interface) {
  io::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  return ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}

// A cable from `here` (this namespace) to `there` (in `elsewhere`), both ends up, without addresses.
class Cable {
 public:
  Cable(const Elsewhere& elsewhere, std::string here, const std::string& there) : here_(std::move(here)) {
    // Different indices: the kernel tells of a carrier without delay only then.
    static int next_index = 1000;
    next_index += 2;
    run("ip link add " + here_ + " index " + std::to_string(next_index) + " type veth peer name " + there +
        " index " + std::to_string(next_index + 1) + " netns " + elsewhere.name());
    // Duplicate address detection in a third of a second instead of one to two.
    run("echo 0 > /proc/sys/net/ipv6/conf/" + here_ +
        "/router_solicitation_delay; echo 300 > /proc/sys/net/ipv6/neigh/" + here_ + "/retrans_time_ms");
    run("ip link set " + here_ + " addrgenmode none && ip link set " + here_ + " up");
    elsewhere.run("ip link set " + there + " addrgenmode none && ip link set lo up && ip link set " + there +
                  " up");
    REQUIRE(eventually([&] { return is_running(here_); }));
    REQUIRE(elsewhere.inside([&] { return eventually([&] { return is_running(there); }); }));
  }
  Cable(const Cable&) = delete;
  ~Cable() {
    [[maybe_unused]] const int result = std::system(("ip link del " + here_ + " 2>/dev/null").c_str());
  }

 private:
  std::string here_;
};

// An interface that is up, without addresses and without a host at the other end of its cable.
class Port {
 public:
  explicit Port(const std::string& name) : far_("far-" + name), cable_(far_, name, "far") {}

 private:
  Elsewhere far_;
  Cable cable_;
};

}  // namespace vipd::test
