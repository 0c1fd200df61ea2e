// A control socket that answers in the place of vipd.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "ctl/client.h"
#include "tests/checks/scratch.h"

namespace vipd::testing {

// What is said in the place of vipd: the answer to each line. An empty one ends the connection.
using Answer = std::function<std::string(const std::string& line)>;

class FakeVipd {
 public:
  // refusal: what it says to all, and closes.
  explicit FakeVipd(Answer answer, std::string refusal = "")
      : answer_(std::move(answer)),
        refusal_(std::move(refusal)),
        listening_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (run_dir() + "/control").c_str());
    REQUIRE(bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listening_, 8) == 0);
    thread_ = std::thread([this] {
      std::vector<std::jthread> clients;
      for (int fd = 0; (fd = accept(listening_, nullptr, nullptr)) >= 0;)
        clients.emplace_back([this, fd] { serve(fd); });
    });
  }
  FakeVipd(const FakeVipd&) = delete;
  ~FakeVipd() {
    shutdown(listening_, SHUT_RDWR);
    thread_.join();
    close(listening_);
  }

  const std::string& run_dir() const { return scratch_.path(); }
  ctl::Client client() const { return std::move(ctl::Client::connect(run_dir()).value()); }

 private:
  void serve(int fd) {
    if (!refusal_.empty()) {
      (void)send(fd, refusal_.data(), refusal_.size(), MSG_NOSIGNAL);
      close(fd);
      return;
    }
    std::array<char, 4096> buffer;
    for (ssize_t size = 0; (size = recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
      const std::lock_guard lock(mutex_);
      const auto answer = answer_({buffer.data(), static_cast<std::size_t>(size)});
      if (answer.empty()) break;
      (void)send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    }
    close(fd);
  }

  Scratch scratch_;
  std::mutex mutex_;
  Answer answer_;
  std::string refusal_;
  int listening_;
  std::thread thread_;
};

}  // namespace vipd::testing
