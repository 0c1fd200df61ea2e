// Control: the Unix socket for vipctl and other clients that use JSON lines. One request per line, one reply
// per line; after "watch" events follow, one per line. Many clients, with bounds on the input and the waiting
// output of each: one that does not read is disconnected and does not disturb others.
//
//   {"v": 1, "command": "status"}
//   {"v": 1, "ok": true, "result": {...}}      or      {"v": 1, "ok": false, "error": "..."}
//
// A user (not: a connection) that sends more than `requests_a_second` requests is answered at that rate. Some
// connections are reserved for users that may command.
//
// Permissions: every process that can open the socket may ask. Root, the user that vipd runs as, and the
// members of a group (Access) may command.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/lines.h"
#include "base/time.h"
#include "io/fd.h"
#include "io/loop.h"

namespace vipd::programs {

// The sender of a request: for the answer, which may come later, and for the audit line.
struct Client {
  std::uint64_t number = 0;
  unsigned user = 0;
  int pid = 0;
  bool may_command = false;
};

// The users that may command besides root.
struct Access {
  unsigned owner = 0;             // user that started vipd
  std::optional<unsigned> group;  // whose members may command
};

class Control {
 public:
  static constexpr std::size_t longest_request = 64 << 10;
  static constexpr int requests_a_second = 200;
  static constexpr int requests_at_once = 400;
  static constexpr std::size_t most_connections = 256;
  static constexpr std::size_t kept_for_commands = 64;

  using Requested = std::function<void(const Client& client, const std::string& line)>;

  Control(io::Loop& loop, io::Fd listening, Requested requested);

  void set_access(Access access) { access_ = access; }

  // The one reply to a request; without effect if the client has gone meanwhile.
  void reply(std::uint64_t client, const std::string& line);
  // From now on it gets published lines.
  void subscribe(std::uint64_t client);
  void publish(const std::string& line);

  // After a lack of descriptors for new clients, or too many requests of a user, it continues later: step()
  // at next_deadline().
  TimePoint next_deadline() const { return std::min(accept_again_, ask_again_); }
  void step(TimePoint now);

 private:
  struct Connection {
    Client client;
    io::Fd fd;
    io::Watch watch;
    Lines received{longest_request};
    std::string to_send;
    bool subscribed = false;
    bool resting = false;       // too many requests: its input waits
    bool says_no_more = false;  // has closed its writing end, and waits for answers
    std::size_t unanswered = 0;
  };
  // The requests that a user may still send: grows with time, up to requests_at_once.
  struct Allowance {
    double requests = requests_at_once;
    TimePoint since{};
  };

  void accept_clients();
  bool may_command(int fd, unsigned user, unsigned group) const;
  void rest();
  void ready(std::uint64_t number, std::uint32_t events);
  bool read(Connection& connection);
  bool answer_lines(Connection& connection);
  void send_line(std::uint64_t client, const std::string& line);
  bool flush(Connection& connection);
  void listen_to(Connection& connection) const;
  static bool awaits_something(const Connection& connection);
  bool take_allowance(unsigned user);

  io::Loop& loop_;
  io::Fd listening_;
  Requested requested_;
  Access access_;
  io::Watch watch_;
  std::map<std::uint64_t, Connection> connections_;
  std::uint64_t numbers_ = 0;
  std::map<unsigned, Allowance> allowances_;  // by user
  TimePoint accept_again_ = never;
  TimePoint ask_again_ = never;
};

}  // namespace vipd::programs
