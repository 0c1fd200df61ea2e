#include "ctl/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>

#include "ctl/answer.h"

namespace vipd::ctl {

namespace {
// The error for a connection that vipd has closed, whichever call notices it first.
tl::unexpected<Error> broken(const std::string& doing) {
  const int code = errno;
  if (code != EPIPE && code != ECONNRESET) return system_failure(doing, code);
  return failure("vipd closed the connection: it is stopping or restarting", ECONNRESET);
}

constexpr const char* no_answer =
    "no answer from vipd-monitor: it may be stopped or hang; vipd replaces it after 10 s. Try again then, or "
    "see the log of vipd";

// How long to wait for a place in the listen queue of a program that has stopped.
constexpr timeval longest_connect{7, 0};
}  // namespace

Result<Client> Client::connect(const std::string& run_dir) {
  const auto path = run_dir + "/control";
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path)
    return failure("cannot connect to vipd: the path " + path +
                       " is too long for a socket: set --run-dir to that of vipd",
                   ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Client client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (client.fd_ < 0) return system_failure("opening a socket to vipd");
  setsockopt(client.fd_, SOL_SOCKET, SO_SNDTIMEO, &longest_connect, sizeof longest_connect);
  if (::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int code = errno;
    if (code == EAGAIN) return failure(no_answer, ETIMEDOUT);
    const char* remedy =
        code == EACCES
            ? ": use sudo, or join the groups vipd (to read) and vipd-admin (to command too): usermod -aG "
              "vipd,vipd-admin USER"
            : " (is vipd running? is its --run-dir another one?)";
    return failure("cannot connect to vipd at " + path + ": " + std::strerror(code) + remedy, code);
  }
  return client;
}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

Result<std::string> Client::read_line(int milliseconds) {
  while (true) {
    if (auto line = received_.next()) return std::move(*line);
    if (received_.too_long()) return failure("the answer of vipd is too long", EPROTO);
    pollfd ready{fd_, POLLIN, 0};
    const int count = poll(&ready, 1, milliseconds);
    if (count == 0) return std::string();
    if (count < 0 && errno == EINTR) continue;  // the terminal has changed its size
    if (count < 0) return system_failure("waiting for vipd");
    std::array<char, 16384> buffer;
    const auto size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size == 0) errno = ECONNRESET;
    if (size <= 0) return broken("reading from vipd");
    received_.append({buffer.data(), static_cast<std::size_t>(size)});
  }
}

Result<nlohmann::json> Client::request(const nlohmann::json& request, int milliseconds) {
  // User input may not be valid UTF-8.
  const auto line = request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (send(fd_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    const auto unwritten = broken("writing to vipd");
    // vipd may have sent the reason before it closed the connection.
    const auto farewell = read_line(0);
    return farewell && !farewell->empty() ? parse_reply(*farewell) : unwritten;
  }
  const auto answer = TRY(read_line(milliseconds));
  if (answer.empty()) return failure(no_answer, ETIMEDOUT);
  return parse_reply(answer);
}

Result<nlohmann::json> Client::next_event(int milliseconds) {
  return parse_event(TRY(read_line(milliseconds)));
}

}  // namespace vipd::ctl
