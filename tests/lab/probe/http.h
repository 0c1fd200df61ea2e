// HttpClient: requests at a fixed rate, each with a connection of its own.
#pragma once

#include <netinet/tcp.h>

#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "tests/lab/probe/address.h"
#include "tests/lab/probe/loop.h"

namespace lab_probe {

class HttpClient : public Task {
 public:
  HttpClient(Loop& loop, std::string label, Address server, Nanoseconds period, Nanoseconds timeout)
      : loop_(loop), label_(std::move(label)), server_(server), grid_(period), timeout_(timeout) {}

  Nanoseconds deadline() const override {
    // Requests start in order and have the same timeout: the map of start times begins with the oldest.
    return oldest_.empty() ? grid_.next() : std::min(grid_.next(), oldest_.begin()->first + timeout_);
  }

  void on_time(Nanoseconds time) override {
    while (!oldest_.empty() && oldest_.begin()->first + timeout_ <= time)
      finish(oldest_.begin()->second, "timeout");
    if (grid_.next() <= time) {
      start(time);
      grid_.advance(time);
    }
  }

  void on_descriptor(int socket, std::uint32_t events) override {
    const auto found = requests_.find(socket);
    if (found == requests_.end()) return;
    Request& request = found->second;
    if (!request.asked) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0 || (events & (EPOLLERR | EPOLLHUP)) != 0) return finish(socket, reason(error));
      constexpr std::string_view question = "GET / HTTP/1.0\r\nHost: lab\r\n\r\n";
      if (send(socket, question.data(), question.size(), MSG_NOSIGNAL) < 0)
        return finish(socket, reason(errno));
      request.asked = true;
      loop_.change(socket, EPOLLIN);
      return;
    }
    std::array<char, 4096> buffer{};
    const auto size = recv(socket, buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EAGAIN) return;
    if (size < 0) return finish(socket, reason(errno));
    if (size > 0) {
      request.answer.append(buffer.data(), static_cast<std::size_t>(size));
      if (request.answer.size() > 65536) finish(socket, "oversized");
      return;
    }
    finish(socket, {});
  }

 private:
  struct Request {
    Nanoseconds started = 0;
    bool asked = false;
    std::string answer;
  };

  static std::string reason(int error) {
    switch (error) {
      case ECONNREFUSED: return "refused";
      case ECONNRESET: return "reset";
      case EHOSTUNREACH:
      case ENETUNREACH: return "unreachable";
      default: return fmt::format("error-{}", error);
    }
  }

  void start(Nanoseconds time) {
    const int socket = checked(
        ::socket(server_.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "TCP socket");
    requests_[socket] = {time, false, {}};
    oldest_.emplace(time, socket);
    loop_.add(socket, EPOLLOUT, this);
    if (connect(socket, server_.get(), server_.size) < 0 && errno != EINPROGRESS)
      finish(socket, reason(errno));
  }

  void finish(int socket, const std::string& failure) {
    const Request request = std::move(requests_[socket]);
    requests_.erase(socket);
    for (auto [each, end] = oldest_.equal_range(request.started); each != end; ++each) {
      if (each->second == socket) {
        oldest_.erase(each);
        break;
      }
    }
    if (!failure.empty()) {
      const linger reset{1, 0};  // no retransmissions of an abandoned connection
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      output.line(fmt::format("h {} {} - {} -", label_, request.started, failure));
    } else {
      output.line(fmt::format("h {} {} {} {}", label_, request.started, now() - request.started,
                              judge(request.answer)));
    }
    loop_.close(socket);
  }

  // "200 a" of "HTTP/1.1 200 OK ... \r\n\r\na\n": the body's first word is the node.
  static std::string judge(const std::string& answer) {
    if (answer.size() < 12 || !answer.starts_with("HTTP/1.")) return "garbled -";
    const std::string status = answer.substr(9, 3);
    const auto head = answer.find("\r\n\r\n");
    if (head == std::string::npos) return status + " -";
    const auto end = answer.find_first_of(" \r\n", head + 4);
    const std::string node = answer.substr(head + 4, end == std::string::npos ? end : end - head - 4);
    return status + " " + (status == "200" && !node.empty() ? node : "-");
  }

  Loop& loop_;
  std::string label_;
  Address server_;
  Grid grid_;
  Nanoseconds timeout_;
  std::map<int, Request> requests_;
  std::multimap<Nanoseconds, int> oldest_;
};

}  // namespace lab_probe
