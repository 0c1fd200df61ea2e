// A server on loopback for checks to ask: a thread that accepts, and one for each connection, which runs what
// the test says. TLS if it is given an identity.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "io/fd.h"
#include "tests/checks/runners/certificates.h"

namespace vipd::testing {

class Connection {
 public:
  Connection(int fd, SSL_CTX* tls, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {
    if (tls) ssl_.reset(SSL_new(tls));
  }
  bool shake_hands() {
    if (!ssl_) return true;
    SSL_set_fd(ssl_.get(), fd_.get());
    return SSL_accept(ssl_.get()) == 1;
  }
  // What comes next; empty at the end.
  std::string read() {
    std::string buffer(4096, '\0');
    const auto size = ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))
                           : ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
    buffer.resize(static_cast<std::size_t>(size > 0 ? size : 0));
    return buffer;
  }
  // A whole request, up to the empty line.
  std::string read_request() {
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const auto piece = read();
      if (piece.empty()) return request;
      request += piece;
    }
    return request;
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const auto size = ssl_ ? SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size()))
                             : ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }
  // False when the server is being stopped.
  bool pause(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!stopping_ && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return !stopping_;
  }
  void hang() {
    while (pause(std::chrono::hours(1))) continue;
  }
  std::string asked_name() const {
    const char* name = ssl_ ? SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name) : nullptr;
    return name ? name : "";
  }
  void reset() {  // without a goodbye: to disconnect TCP is to send RST
    const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
    ::connect(fd_.get(), &nobody, sizeof nobody);
  }
  int fd() const { return fd_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  io::Fd fd_;
  std::unique_ptr<SSL, Free> ssl_;
  const std::atomic<bool>& stopping_;
};

class Server {
 public:
  using Serve = std::function<void(Connection&)>;

  explicit Server(Serve serve, const Identity* identity = nullptr, bool ipv6 = false)
      : serve_(std::move(serve)), ipv6_(ipv6) {
    if (identity) {
      tls_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
      SSL_CTX_use_certificate(tls_.get(), identity->certificate.get());
      SSL_CTX_use_PrivateKey(tls_.get(), identity->key.get());
    }
    listen();
    acceptor_ = std::thread([this] { accept_all(); });
  }
  Server(const Server&) = delete;
  ~Server() { stop(); }

  void stop() {
    if (!acceptor_.joinable()) return;
    stopping_ = true;
    acceptor_.join();
    for (auto& [thread, fd] : connections_) ::shutdown(fd, SHUT_RDWR), thread.join();
    listener_.reset();
  }
  void require_client_certificate(const std::string& ca_file) {
    SSL_CTX_load_verify_locations(tls_.get(), ca_file.c_str(), nullptr);
    SSL_CTX_set_verify(tls_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

  int port() const { return port_; }
  std::string endpoint() const { return (ipv6_ ? "[::1]:" : "127.0.0.1:") + std::to_string(port_); }
  int accepted() const { return accepted_; }

 private:
  void listen() {
    listener_ = io::Fd(::socket(ipv6_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_addr = in6addr_loopback;
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* address = ipv6_ ? reinterpret_cast<sockaddr*>(&in6) : reinterpret_cast<sockaddr*>(&in);
    socklen_t size = ipv6_ ? sizeof in6 : sizeof in;
    if (::bind(listener_.get(), address, size) != 0 || ::listen(listener_.get(), 1024) != 0)
      throw std::runtime_error("a test server cannot listen");
    ::getsockname(listener_.get(),
                  ipv6_ ? reinterpret_cast<sockaddr*>(&in6) : reinterpret_cast<sockaddr*>(&in), &size);
    port_ = ntohs(ipv6_ ? in6.sin6_port : in.sin_port);
  }
  void accept_all() {
    while (!stopping_) {
      pollfd wait{listener_.get(), POLLIN, 0};
      if (::poll(&wait, 1, 5) <= 0) continue;
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++accepted_;
      // A duplicate, so that stop() can end a read in the other thread.
      const int ours = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
      connections_.emplace_back(std::thread([this, fd] {
                                  Connection connection(fd, tls_.get(), stopping_);
                                  if (connection.shake_hands()) serve_(connection);
                                  ::shutdown(connection.fd(), SHUT_RDWR);
                                }),
                                Duplicate(ours));
    }
  }

  struct Duplicate {
    explicit Duplicate(int number) : fd(number) {}
    operator int() const { return fd.get(); }
    io::Fd fd;
  };

  Serve serve_;
  bool ipv6_;
  std::shared_ptr<SSL_CTX> tls_;
  io::Fd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> accepted_ = 0;
  std::thread acceptor_;
  std::vector<std::pair<std::thread, Duplicate>> connections_;
};

// A server that answers each request with these bytes.
inline Server::Serve answering(std::string answer) {
  return [answer = std::move(answer)](Connection& connection) {
    connection.read_request();
    connection.write(answer);
  };
}

inline std::string http_answer(const std::string& status, const std::string& body,
                               const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers +
         "\r\n" + body;
}

}  // namespace vipd::testing
