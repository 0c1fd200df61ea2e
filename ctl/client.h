// Client: sends requests to a running vipd over its control socket, in JSON lines. See vipd-control(7).
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>

#include "base/lines.h"
#include "base/result.h"

namespace vipd::ctl {

class Client {
 public:
  static constexpr std::size_t longest_answer = 64 << 20;  // in bytes, a line

  // ENOENT, ECONNREFUSED: no vipd is running there. EACCES: permission denied.
  static Result<Client> connect(const std::string& run_dir);
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)) {}
  Client& operator=(Client&&) = delete;
  ~Client();

  // The result of the reply, or the reason why vipd refused. An Error with a code: the connection failed.
  // Waits for at most `milliseconds`; a vipd that works answers or gives up earlier.
  static constexpr int question_bound = 7'000;  // vipd's own is 2 s
  static constexpr int command_bound = 25'000;  // 20 s
  Result<nlohmann::json> request(const nlohmann::json& request, int milliseconds = question_bound);
  // After the request "watch": the next event. Blocks for at most `milliseconds` (-1: for ever); null if none
  // came.
  Result<nlohmann::json> next_event(int milliseconds);
  int fd() const { return fd_; }  // readable if there may be an event

 private:
  explicit Client(int fd) : fd_(fd) {}
  Result<std::string> read_line(int milliseconds);  // empty: none came in time

  int fd_;
  Lines received_{longest_answer};
};

}  // namespace vipd::ctl
