// Control: the Unix socket for vipctl and whoever speaks JSON lines. One request a line, one reply a line;
// after "watch" events follow, a line each. Many clients, each with a bound on what it may send and on what
// waits for it: one that does not read is cut off and disturbs nobody.
//
//   {"v": 1, "command": "status"}
//   {"v": 1, "ok": true, "result": {...}}      or      {"v": 1, "ok": false, "error": "..."}
//
// A user (not: a connection) who asks for more than `requests_a_second` is answered at that rate. Of the
// connections some are kept for those who may command.
//
// Who may: whoever can open the socket may ask. Root, the user that vipd runs as, and the members of a group
// (Access) may command.
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

namespace vipd::daemon {

// Who asked: for the answer, which may come later, and for the audit line.
struct Client {
  std::uint64_t number = 0;
  unsigned user = 0;
  int pid = 0;
  bool may_command = false;
};

// Who may command besides root.
struct Access {
  unsigned owner = 0;             // user that started vipd
  std::optional<unsigned> group;  // whose members may
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
  // From now on it gets what is published.
  void subscribe(std::uint64_t client);
  void publish(const std::string& line);

  // When there were no descriptors for new clients, or somebody has asked too often, it looks again after a
  // while: step() at next_deadline().
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
    bool resting = false;       // has asked too often: what it sends waits
    bool says_no_more = false;  // has closed its end for writing, and waits for what is to come
    std::size_t unanswered = 0;
  };
  // What a user may still ask for: it grows with time, up to requests_at_once.
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

}  // namespace vipd::daemon
