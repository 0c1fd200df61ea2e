#include "programs/monitor/control.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "programs/common/clock.h"
#include "programs/monitor/reply.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr Duration pause_without_descriptors = 200ms;
constexpr Duration pause_of_the_hasty = 50ms;
constexpr Duration time_to_forget = 10s;       // longer than an allowance takes to recover
constexpr std::size_t most_waiting = 8 << 20;  // a status of thousands of virtual routers fits

std::string refusal(std::size_t connections) {
  return bad(fmt::format("vipd accepts no more connections ({} are open; some are reserved for users that "
                         "may command): close some, or try again in a moment",
                         connections)) +
         "\n";
}
}  // namespace

Control::Control(io::Loop& loop, io::Fd listening, Requested requested)
    : loop_(loop), listening_(std::move(listening)), requested_(std::move(requested)) {
  watch_ = loop_.watch(listening_.get(), [this] { accept_clients(); });
}

// The kernel has the groups of the client at the time it connected.
bool Control::may_command(int fd, unsigned user, unsigned group) const {
  if (user == 0 || user == access_.owner || group == access_.group) return true;
  if (!access_.group) return false;
  std::array<gid_t, 1024> groups{};
  socklen_t size = sizeof groups;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return false;
  const auto end = groups.begin() + static_cast<std::ptrdiff_t>(size / sizeof(gid_t));
  return std::find(groups.begin(), end, *access_.group) != end;
}

void Control::accept_clients() {
  while (true) {
    io::Fd fd(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      // The client keeps waiting, so the socket stays readable: watching it would be a busy loop.
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) rest();
      return;
    }
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) continue;
    const bool commands = may_command(fd.get(), peer.uid, peer.gid);
    if (connections_.size() >= most_connections - (commands ? 0 : kept_for_commands)) {
      const auto why = refusal(connections_.size());
      (void)send(fd.get(), why.data(), why.size(), MSG_NOSIGNAL);
      continue;  // closed
    }
    const auto number = ++numbers_;
    auto& connection = connections_[number];
    connection.client = {number, peer.uid, peer.pid, commands};
    connection.fd = std::move(fd);
    connection.watch = loop_.watch(connection.fd.get(), EPOLLIN,
                                   [this, number](std::uint32_t events) { ready(number, events); });
  }
}

void Control::rest() {
  accept_again_ = now() + pause_without_descriptors;
  watch_.set_events(0);
}

void Control::step(TimePoint now) {
  if (now >= accept_again_) {
    accept_again_ = never;
    watch_.set_events(EPOLLIN);
    accept_clients();
  }
  if (now < ask_again_) return;
  ask_again_ = never;
  std::vector<std::uint64_t> resting;
  for (const auto& [number, connection] : connections_)
    if (connection.resting) resting.push_back(number);
  for (const auto number : resting) {
    const auto found = connections_.find(number);
    if (found == connections_.end()) continue;
    found->second.resting = false;
    listen_to(found->second);
    const bool open = answer_lines(found->second);
    const auto still = connections_.find(number);
    if (still != connections_.end() && (!open || !awaits_something(still->second))) connections_.erase(still);
  }
}

bool Control::take_allowance(unsigned user) {
  const auto time = now();
  if (allowances_.size() > most_connections)
    std::erase_if(allowances_, [&](const auto& each) { return time - each.second.since > time_to_forget; });
  auto& allowance = allowances_.try_emplace(user, Allowance{requests_at_once, time}).first->second;
  const auto grown = std::chrono::duration<double>(time - allowance.since).count() * requests_a_second;
  allowance.requests = std::min<double>(requests_at_once, allowance.requests + grown);
  allowance.since = time;
  if (allowance.requests < 1) return false;
  allowance.requests -= 1;
  return true;
}

void Control::ready(std::uint64_t number, std::uint32_t events) {
  auto& connection = connections_.at(number);
  bool open = true;
  if (events & EPOLLOUT) open = flush(connection);
  if (open && (events & EPOLLIN)) open = read(connection);
  // Both ends are closed: earlier requests are carried out, although the client gets no answer.
  const bool gone = (events & (EPOLLHUP | EPOLLERR)) != 0;
  if (!open || (gone && (!connections_.contains(number) || connection.says_no_more || !(events & EPOLLIN))))
    connections_.erase(number);
}

bool Control::read(Connection& connection) {
  std::array<char, 16384> buffer;
  const auto size = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) {
    const auto number = connection.client.number;
    connection.says_no_more = true;
    listen_to(connection);
    return answer_lines(connection) && (!connections_.contains(number) || awaits_something(connection));
  }
  connection.received.append({buffer.data(), static_cast<std::size_t>(size)});
  return answer_lines(connection);
}

// False: to be closed.
bool Control::answer_lines(Connection& connection) {
  const auto number = connection.client.number;
  while (true) {
    if (!take_allowance(connection.client.user)) {
      connection.resting = true;
      ask_again_ = std::min(ask_again_, now() + pause_of_the_hasty);
      listen_to(connection);
      return true;
    }
    auto line = connection.received.next();
    // The last line of a file may lack a line break.
    if (!line && connection.says_no_more && !connection.received.too_long())
      line = connection.received.rest();
    if (!line) {
      allowances_[connection.client.user].requests += 1;
      return !connection.received.too_long();
    }
    ++connection.unanswered;
    requested_(connection.client, *line);
    if (!connections_.contains(number)) return true;  // disconnected while it was answered
  }
}

void Control::listen_to(Connection& connection) const {
  const bool listens = !connection.resting && !connection.says_no_more;
  const unsigned events = (listens ? EPOLLIN : 0U) | (connection.to_send.empty() ? 0U : EPOLLOUT);
  connection.watch.set_events(events);
}

bool Control::awaits_something(const Connection& connection) {
  return !connection.says_no_more || connection.subscribed || connection.resting ||
         connection.unanswered > 0 || !connection.to_send.empty();
}

bool Control::flush(Connection& connection) {
  while (!connection.to_send.empty()) {
    const auto sent =
        send(connection.fd.get(), connection.to_send.data(), connection.to_send.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) break;
    connection.to_send.erase(0, static_cast<std::size_t>(sent));
  }
  listen_to(connection);
  return awaits_something(connection);
}

void Control::reply(std::uint64_t client, const std::string& line) {
  if (const auto found = connections_.find(client); found != connections_.end()) --found->second.unanswered;
  send_line(client, line);
}

void Control::send_line(std::uint64_t client, const std::string& line) {
  const auto found = connections_.find(client);
  if (found == connections_.end()) return;
  auto& connection = found->second;
  connection.to_send += line;
  connection.to_send += '\n';
  if (connection.to_send.size() > most_waiting || !flush(connection)) connections_.erase(found);
}

void Control::subscribe(std::uint64_t client) {
  if (const auto found = connections_.find(client); found != connections_.end())
    found->second.subscribed = true;
}

void Control::publish(const std::string& line) {
  std::vector<std::uint64_t> subscribers;
  for (const auto& [number, connection] : connections_)
    if (connection.subscribed) subscribers.push_back(number);
  for (const auto number : subscribers) send_line(number, line);
}

}  // namespace vipd::programs
