#include "checks/runners/resolver.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/checks/runners/asking.h"
#include "tests/checks/runners/server.h"

using namespace vipd;
using namespace vipd::testing;
using namespace std::chrono_literals;

namespace {

// A name server on 127.0.0.1:53, asked because of a resolv.conf that only this process sees. It knows the
// address of www.example.net; of silent.example.net it says nothing, alias.example.net is another name for
// one without an address, and all others do not exist.
class NameServer {
 public:
  NameServer() {
    REQUIRE(::unshare(CLONE_NEWNS) == 0);
    REQUIRE(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    const auto conf = scratch_.file("resolv.conf", "nameserver 127.0.0.1\n");
    const std::string real = std::filesystem::canonical("/etc/resolv.conf");
    REQUIRE(::mount(conf.c_str(), real.c_str(), nullptr, MS_BIND, nullptr) == 0);
    mounted_ = real;
    fd_ = io::Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(53);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&in), sizeof in) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  NameServer(const NameServer&) = delete;
  ~NameServer() {
    stopping_ = true;
    thread_.join();
    ::umount2(mounted_.c_str(), MNT_DETACH);
  }

 private:
  void serve() {
    while (!stopping_) {
      pollfd wait{fd_.get(), POLLIN, 0};
      if (::poll(&wait, 1, 5) <= 0) continue;
      std::string query(512, '\0');
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const auto length =
          ::recvfrom(fd_.get(), query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (length < 17) continue;
      query.resize(static_cast<std::size_t>(length));
      const auto answer = answer_to(query);
      if (!answer.empty())
        ::sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }
  static std::string answer_to(const std::string& query) {
    if (query.find("\6silent\7example") != std::string::npos) return {};
    const auto name_end = query.find('\0', 12);
    const bool known = query.find("\3www\7example\3net") == 12;
    const bool alias = query.find("\5alias\7example\3net") == 12;
    const bool a = query.substr(name_end + 1, 2) == std::string("\0\1", 2);
    std::string answer = query.substr(0, 2) + std::string("\x81\x80\0\1\0\0\0\0\0\0", 10) +
                         query.substr(12, name_end + 5 - 12);
    if (!known && !alias) answer[3] = '\x83';  // NXDOMAIN
    if (alias) {
      answer[7] = 1;
      answer += std::string("\xc0\x0c\0\5\0\1\0\0\0\x3c\0\x12\4gone\7example\3net\0", 30);
    }
    if (known && a) {
      answer[7] = 1;
      answer += std::string("\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1", 16);
    }
    return answer;
  }

  Scratch scratch_;
  std::string mounted_;
  io::Fd fd_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("names are resolved for tcp and http checks") {
  const NameServer names;
  Server server(answering(http_answer("200 OK", "")));
  const auto port = std::to_string(server.port());
  CHECK(ask("tcp: www.example.net:" + port).detail.starts_with("connected to 127.0.0.1:" + port));
  CHECK(ask("http: http://www.example.net:" + port + "/").healthy);
  CHECK(ask("tcp: localhost:" + port)
            .healthy);  // of the hosts file; the server is on IPv4 only, ::1 is refused
}

TEST_CASE("a name is resolved though TLS asks for another one") {
  const NameServer names;
  std::string asked;
  std::mutex mutex;
  const auto identity = make_identity("server", "DNS:other.example.net", nullptr);
  Server server(
      [&](Connection& connection) {
        const std::lock_guard lock(mutex);
        asked = connection.asked_name();
        connection.read_request();
        connection.write(http_answer("200 OK", ""));
      },
      &identity);
  CHECK(ask("http: https://www.example.net:" + std::to_string(server.port()) +
            "/, tls: {verify: false, server_name: other.example.net}")
            .healthy);
  const std::lock_guard lock(mutex);
  CHECK(asked == "other.example.net");
}

TEST_CASE("a name that does not exist fails the check at once") {
  const NameServer names;
  CHECK(ask("tcp: none.example.net:80").detail == "resolving none.example.net: Domain name not found");
  CHECK(ask("http: http://none.example.net/").detail == "resolving none.example.net: Domain name not found");
}

TEST_CASE("a name that leads to no address fails the check at once") {
  const NameServer names;
  CHECK(ask("tcp: alias.example.net:80").detail == "resolving alias.example.net: it has no address");
}

TEST_CASE("a name server that does not answer delays nobody else") {
  const NameServer names;
  CHECK(ask("tcp: silent.example.net:80, timeout: 200ms").detail ==
        "timed out after 200ms while resolving silent.example.net");
  CHECK(ask("http: http://silent.example.net/, timeout: 200ms").detail ==
        "timed out after 200ms while resolving silent.example.net");
}
