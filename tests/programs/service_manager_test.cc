#include "daemon/service_manager.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "io/fd.h"

using namespace vipd;
using namespace vipd::daemon;
using namespace std::chrono_literals;

namespace {
// Hears what a service says, as systemd would.
class ServiceManager {
 public:
  ServiceManager() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    const auto name = fmt::format("vipd-test-{}", getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    REQUIRE(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  }
  ~ServiceManager() {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void watch(const std::string& microseconds, pid_t process) const {
    setenv("WATCHDOG_USEC", microseconds.c_str(), 1);
    setenv("WATCHDOG_PID", std::to_string(process).c_str(), 1);
  }
  std::string heard() const {
    std::array<char, 512> text{};
    const auto size = recv(fd_.get(), text.data(), text.size(), 0);
    return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  io::Fd fd_;
};

constexpr TimePoint start{100s};
}  // namespace

TEST_CASE("The watchdog hears of us twice in the time that it allows, and no more often") {
  const ServiceManager manager;
  manager.watch("3000000", getpid());
  Watchdog watchdog(start);
  watchdog.tick(start);
  CHECK(manager.heard() == "WATCHDOG=1");
  CHECK(watchdog.deadline() == start + 1500ms);
  watchdog.tick(start + 1499ms);
  CHECK(manager.heard().empty());
  watchdog.tick(start + 1500ms);
  CHECK(manager.heard() == "WATCHDOG=1");
}

TEST_CASE("Where nobody watches, or watches another process, the watchdog has no deadline and is silent") {
  const ServiceManager manager;
  SUBCASE("nobody") {}
  SUBCASE("another process") {
    manager.watch("3000000", getpid() + 1);
  }
  SUBCASE("nonsense") {
    manager.watch("3 seconds", getpid());
  }
  SUBCASE("at once") {
    manager.watch("0", getpid());
  }
  Watchdog watchdog(start);
  watchdog.tick(start + 1h);
  CHECK(manager.heard().empty());
  CHECK(watchdog.deadline() == never);
}

TEST_CASE("A reload is announced with the time at which it began, in microseconds") {
  CHECK(reloading(start + 1500ns) == "RELOADING=1\nMONOTONIC_USEC=100000001");
}
