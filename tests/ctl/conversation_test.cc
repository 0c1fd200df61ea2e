#include "ctl/client.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

using namespace vipd;

namespace {
// A vipd that has answered before it is asked.
class Daemon {
 public:
  Daemon() {
    REQUIRE(mkdtemp(folder_.data()));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    listening_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listening_, 1) == 0);
  }
  ~Daemon() {
    close(connection_);
    close(listening_);
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  const std::string& folder() const { return folder_; }

  void answer(const std::string& text) {
    connection_ = accept(listening_, nullptr, nullptr);
    REQUIRE(send(connection_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  std::string heard() const {
    std::array<char, 4096> buffer{};
    const auto size = recv(connection_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  std::string path() const { return folder_ + "/control"; }
  std::string folder_ = "/tmp/vipd-client-XXXXXX";
  int listening_ = -1;
  int connection_ = -1;
};
}  // namespace

TEST_CASE("a name that is not UTF-8 is sent with replacement characters, and does not end vipctl") {
  Daemon daemon;
  auto client = ctl::Client::connect(daemon.folder());
  REQUIRE(client);
  daemon.answer("{\"ok\": false, \"error\": \"there is no such virtual router\"}\n");
  const auto result = client->request({{"command", "explain"}, {"router", "\xff"}});
  CHECK(result.error().message == "there is no such virtual router");
  CHECK(daemon.heard() == "{\"command\":\"explain\",\"router\":\"\uFFFD\"}\n");
}

TEST_CASE("answers that come together are answers to one request each") {
  Daemon daemon;
  auto client = ctl::Client::connect(daemon.folder());
  REQUIRE(client);
  daemon.answer(
      "{\"ok\": true, \"result\": 1}\n{\"ok\": true, \"result\": 2}\n{\"event\": {\"text\": \"x\"}}\n");
  CHECK(client->request({{"command", "status"}}) == 1);
  CHECK(client->request({{"command", "watch"}}) == 2);
  CHECK(client->next_event(0) == nlohmann::json{{"text", "x"}});
  CHECK(client->next_event(0)->is_null());
}
