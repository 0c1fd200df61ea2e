#include "programs/guardian/service_manager.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "io/fd.h"

using namespace vipd;
using namespace vipd::programs;
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
  std::pair<std::string, io::Fd> heard_with_descriptor() const {
    std::array<char, 512> text{};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    iovec part{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = recvmsg(fd_.get(), &message, MSG_CMSG_CLOEXEC);
    int fd = -1;
    if (const auto* header = CMSG_FIRSTHDR(&message)) std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return {size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size)), io::Fd(fd)};
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

TEST_CASE("A descriptor is given to the service manager with its name, and taken back after a new start") {
  const ServiceManager manager;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const io::Fd reader(ends[0]);
  io::Fd writer(ends[1]);
  store_descriptor("hold", writer.get());
  auto [said, kept] = manager.heard_with_descriptor();
  CHECK(said == "FDSTORE=1\nFDNAME=hold");
  REQUIRE(kept);
  writer.reset();
  CHECK(write(kept.get(), "x", 1) == 1);
  char byte = 0;
  CHECK(read(reader.get(), &byte, 1) == 1);
}

// In a process of its own, as systemd starts it: with the descriptors from 3 on.
TEST_CASE(
    "Of the descriptors that the service manager has kept, the named one is taken and the others are "
    "closed") {
  const pid_t child = fork();
  if (child == 0) {
    for (const int fd : {3, 4, 5}) dup2(STDERR_FILENO, fd);
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "other:hold:hold", 1);
    setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
    const auto taken = take_stored_descriptor("hold");
    const bool good = taken.get() == 4 && fcntl(4, F_GETFD) == FD_CLOEXEC && fcntl(3, F_GETFD) == -1 &&
                      fcntl(5, F_GETFD) == -1 && std::getenv("LISTEN_FDS") == nullptr &&
                      !take_stored_descriptor("hold");
    _exit(good ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("Descriptors that are meant for another process are not taken") {
  const ServiceManager manager;  // clears the environment afterwards
  setenv("LISTEN_FDS", "1", 1);
  setenv("LISTEN_FDNAMES", "hold", 1);
  setenv("LISTEN_PID", std::to_string(getpid() + 1).c_str(), 1);
  CHECK(!take_stored_descriptor("hold"));
}
