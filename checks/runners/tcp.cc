#include "checks/runners/tcp.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "base/words.h"
#include "checks/runners/runners.h"
#include "checks/settings/tcp_settings.h"
#include "checks/wording.h"
#include "io/fd.h"

namespace vipd::checks {

namespace {

constexpr std::size_t most_answer = 64 << 10;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress to_socket_address(const IpAddress& address, std::uint16_t port, unsigned scope) {
  SocketAddress result;
  if (address.family == Family::ipv4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.octets.data(), 4);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else {
    sockaddr_in6 in6{};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    in6.sin6_scope_id = scope;
    std::memcpy(&in6.sin6_addr, address.octets.data(), 16);
    std::memcpy(&result.storage, &in6, sizeof in6);
    result.size = sizeof in6;
  }
  return result;
}

// The result of reading or writing, plain or through TLS.
struct Transferred {
  enum class End : std::uint8_t { some, wait, closed, failed } end = End::failed;
  std::size_t size = 0;
  std::uint32_t wait_for = 0;  // End::wait: EPOLLIN or EPOLLOUT
  std::string trouble;         // End::failed
};

// One connection, and the steps of the check on it, in order.
class TcpAttempt : public Attempt {
 public:
  TcpAttempt(const TcpSettings& settings, Context& context, Done done)
      : settings_(settings), context_(context), done_(std::move(done)), started_(context.clock()) {}

  void start() {
    const auto& endpoint = settings_.endpoint;
    if (!endpoint.literal) {
      lookup_ = context_.resolver.resolve(endpoint.host, [this](Result<std::vector<IpAddress>> found) {
        if (!found) return fail(found.error().message);
        addresses_ = std::move(*found);
        connect_next("");
      });
      return;
    }
    const auto zone = endpoint.host.find('%');
    if (zone != std::string::npos) {
      scope_ = ::if_nametoindex(endpoint.host.c_str() + zone + 1);
      if (scope_ == 0) return fail("there is no interface " + quote(endpoint.host.substr(zone + 1)));
    }
    const auto address = IpAddress::parse(std::string_view(endpoint.host).substr(0, zone));
    if (!address) return fail(address.error().message);
    addresses_ = {*address};
    connect_next("");
  }

  std::string doing() const override {
    switch (step_) {
      case Step::resolving: return "while resolving " + settings_.endpoint.host;
      case Step::connecting: return "while connecting to " + peer_;
      case Step::handshake: return "in the TLS handshake with " + peer_;
      case Step::sending: return "while sending to " + peer_;
      case Step::waiting: break;
    }
    return received_ == 0 ? "while waiting for an answer" : "while waiting for " + quote(settings_.expect);
  }

 private:
  enum class Step : std::uint8_t { resolving, connecting, handshake, sending, waiting };

  // Connects to the next address of the name. `trouble`: the error with the previous one.
  void connect_next(std::string trouble) {
    step_ = Step::connecting;
    while (next_ < addresses_.size()) {
      const auto& address = addresses_[next_++];
      peer_ = to_string(Endpoint{to_string(address), settings_.endpoint.port, true});
      watch_.reset();
      fd_.reset(::socket(address.family == Family::ipv4 ? AF_INET : AF_INET6,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (!fd_) {
        trouble = std::string("creating a socket: ") + std::strerror(errno);
        if (is_exhaustion(errno)) return answer({.conclusive = false, .detail = std::move(trouble)});
        continue;
      }
      const int on = 1;
      ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const auto to = to_socket_address(address, settings_.endpoint.port, scope_);
      if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0 &&
          errno != EINPROGRESS) {
        trouble = "connecting to " + peer_ + ": " + std::strerror(errno);
        continue;
      }
      watch_ = context_.loop.watch(fd_.get(), EPOLLOUT, [this](std::uint32_t) { go_on(); });
      return;
    }
    fail(trouble);
  }

  // Called whenever the socket is ready for what the step waits for.
  void go_on() {
    if (step_ == Step::connecting && !connected()) return;
    if (step_ == Step::handshake && !shaken_hands()) return;
    if (step_ == Step::sending && !sent()) return;
    if (step_ == Step::waiting) receive();
  }

  bool connected() {
    int code = 0;
    socklen_t size = sizeof code;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) {
      connect_next("connecting to " + peer_ + ": " + std::strerror(code));
      return false;
    }
    step_ = Step::sending;
    if (!settings_.tls) return true;
    auto ssl = context_.tls.connection(*settings_.tls, settings_.endpoint);
    if (!ssl) {
      fail(ssl.error().message);
      return false;
    }
    ssl_ = std::move(*ssl);
    SSL_set_fd(ssl_.get(), fd_.get());
    step_ = Step::handshake;
    return true;
  }

  bool shaken_hands() {
    ERR_clear_error();
    const auto result = judge_tls(SSL_do_handshake(ssl_.get()));
    if (result.end == Transferred::End::some) {
      step_ = Step::sending;
      return true;
    }
    if (result.end == Transferred::End::wait)
      watch_.set_events(result.wait_for);
    else
      fail("TLS handshake with " + peer_ + ": " +
           (result.end == Transferred::End::closed ? "the connection was closed" : result.trouble));
    return false;
  }

  bool sent() {
    while (sent_ < settings_.send.size()) {
      const auto result = write(std::string_view(settings_.send).substr(sent_));
      if (result.end == Transferred::End::some) {
        sent_ += result.size;
        continue;
      }
      if (result.end == Transferred::End::wait)
        watch_.set_events(result.wait_for);
      else
        fail("sending to " + peer_ + ": " +
             (result.end == Transferred::End::closed ? "the connection was closed" : result.trouble));
      return false;
    }
    step_ = Step::waiting;
    return true;
  }

  void receive() {
    if (settings_.expect.empty()) return succeed(settings_.tls ? "TLS connection to " : "connected to ");
    for (;;) {
      std::array<char, 4096> buffer;
      const auto result = read(buffer.data(), buffer.size());
      switch (result.end) {
        case Transferred::End::wait: watch_.set_events(result.wait_for); return;
        case Transferred::End::failed: return fail("reading from " + peer_ + ": " + result.trouble);
        case Transferred::End::closed: return fail(unexpected("the connection was closed"));
        case Transferred::End::some: break;
      }
      received_ += result.size;
      const auto overlap = std::min(answer_.size(), settings_.expect.size());
      const auto from = answer_.size() - overlap;
      answer_.append(buffer.data(), result.size);
      if (answer_.find(settings_.expect, from) != std::string::npos)
        return succeed("got " + quote(settings_.expect) + " from ");
      if (received_ >= most_answer) return fail(unexpected("64 KiB came"));
    }
  }

  std::string unexpected(const std::string& what) const {
    if (answer_.empty()) return what + " without an answer, expected " + quote(settings_.expect);
    return what + " without " + quote(settings_.expect) + ", the answer was " + quote(answer_);
  }

  Transferred write(std::string_view text) {
    if (ssl_) {
      ERR_clear_error();
      return judge_tls(SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())));
    }
    return judge_plain(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL), EPOLLOUT);
  }

  Transferred read(char* buffer, std::size_t size) {
    if (ssl_) {
      ERR_clear_error();
      return judge_tls(SSL_read(ssl_.get(), buffer, static_cast<int>(size)));
    }
    return judge_plain(::recv(fd_.get(), buffer, size, 0), EPOLLIN);
  }

  static Transferred judge_plain(ssize_t result, std::uint32_t wait_for) {
    if (result > 0) return {.end = Transferred::End::some, .size = static_cast<std::size_t>(result)};
    if (result == 0) return {.end = Transferred::End::closed};
    if (errno == EAGAIN || errno == EINTR) return {.end = Transferred::End::wait, .wait_for = wait_for};
    return {.end = Transferred::End::failed, .trouble = std::strerror(errno)};
  }

  Transferred judge_tls(int result) const {
    const int code = errno;
    if (result > 0) return {.end = Transferred::End::some, .size = static_cast<std::size_t>(result)};
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ: return {.end = Transferred::End::wait, .wait_for = EPOLLIN};
      case SSL_ERROR_WANT_WRITE: return {.end = Transferred::End::wait, .wait_for = EPOLLOUT};
      case SSL_ERROR_ZERO_RETURN: return {.end = Transferred::End::closed};
      case SSL_ERROR_SYSCALL:
        if (code == 0) return {.end = Transferred::End::closed};
        return {.end = Transferred::End::failed, .trouble = std::strerror(code)};
      default: return {.end = Transferred::End::failed, .trouble = tls_trouble(ssl_.get())};
    }
  }

  void succeed(const std::string& what) {
    const auto latency = context_.clock() - started_;
    answer({.healthy = true, .detail = what + peer_ + " in " + in_words(latency), .latency = latency});
  }

  void fail(std::string detail) {
    answer({.healthy = false, .detail = std::move(detail), .latency = context_.clock() - started_});
  }

  void answer(Verdict verdict) {
    watch_.reset();
    done_(std::move(verdict));
  }

  const TcpSettings& settings_;
  Context& context_;
  Done done_;
  TimePoint started_;
  std::unique_ptr<Resolver::Lookup> lookup_;
  std::vector<IpAddress> addresses_;
  std::size_t next_ = 0;
  unsigned scope_ = 0;
  std::string peer_;  // "192.0.2.1:80"
  Step step_ = Step::resolving;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  std::string answer_;
  io::Fd fd_;
  io::Watch watch_;  // of fd_, so it goes first
  Ssl ssl_;
};

}  // namespace

std::unique_ptr<Attempt> start_tcp(const CheckConfig&, const Settings& settings, Context& context,
                                   Done done) {
  auto attempt =
      std::make_unique<TcpAttempt>(static_cast<const TcpSettings&>(settings), context, std::move(done));
  attempt->start();
  return attempt;
}

}  // namespace vipd::checks
