#include "ctl/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace vipd::ctl {

namespace {
constexpr const char* other_version = ": use the vipctl that belongs to the running vipd";

// Of a connection that vipd has ended, whichever call notices it first.
tl::unexpected<Error> broken(const std::string& doing) {
  const int code = errno;
  if (code != EPIPE && code != ECONNRESET) return system_failure(doing, code);
  return failure("vipd has closed the connection: it is stopping or restarting", ECONNRESET);
}
}  // namespace

Result<Client> Client::connect(const std::string& run_dir) {
  const auto path = run_dir + "/control";
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path)
    return failure("connecting to vipd: the path " + path +
                       " is longer than a socket's may be: give the --run-dir of vipd",
                   ENAMETOOLONG);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Client client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (client.fd_ < 0) return system_failure("opening a socket to vipd");
  if (::connect(client.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int code = errno;
    const char* remedy = code == EACCES ? " (try it as root)" : " (is vipd running? another place: --run-dir)";
    return failure("connecting to vipd at " + path + ": " + std::strerror(code) + remedy, code);
  }
  return client;
}

Client::~Client() {
  if (fd_ >= 0) close(fd_);
}

Result<std::string> Client::read_line(int milliseconds) {
  while (true) {
    if (const auto end = received_.find('\n'); end != std::string::npos) {
      auto line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    pollfd ready{fd_, POLLIN, 0};
    const int count = poll(&ready, 1, milliseconds);
    if (count == 0) return std::string();
    if (count < 0) return system_failure("waiting for vipd");
    std::array<char, 16384> buffer;
    const auto size = recv(fd_, buffer.data(), buffer.size(), 0);
    if (size == 0) errno = ECONNRESET;
    if (size <= 0) return broken("reading from vipd");
    received_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

Result<nlohmann::json> Client::request(const nlohmann::json& request, int milliseconds) {
  const auto line = request.dump() + "\n";
  if (send(fd_, line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    return broken("writing to vipd");
  const auto answer = TRY(read_line(milliseconds));
  if (answer.empty()) return failure("vipd does not answer: see its log", ETIMEDOUT);
  auto reply = nlohmann::json::parse(answer, nullptr, false);
  if (!reply.is_object())
    return failure(std::string("vipd has answered something that is no JSON object") + other_version, EPROTO);
  if (!reply.value("permitted", true)) return failure(reply.value("error", "permission denied"), EPERM);
  if (!reply.value("ok", false))
    return failure(reply.value("error", "vipd refused, without a reason: see its log"));
  return reply["result"];
}

Result<nlohmann::json> Client::next_event(int milliseconds) {
  const auto line = TRY(read_line(milliseconds));
  if (line.empty()) return nlohmann::json(nullptr);
  auto message = nlohmann::json::parse(line, nullptr, false);
  if (!message.is_object() || !message.contains("event")) return nlohmann::json(nullptr);
  return message["event"];
}

}  // namespace vipd::ctl
