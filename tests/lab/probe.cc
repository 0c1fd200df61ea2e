// lab_probe: the client of the laboratory, and the echo server that it asks.
//
// With LAB_PROBE_NO_STALLS in its environment it does not look for stalls: where time is simulated there are
// none.
//
// It runs inside the lab's namespaces and is told what to do by tests/lab/vipdlab/probe.py, which reads the
// lines it prints. It measures and judges nothing: each probe becomes one line, and the lab computes outages.
//
//   lab_probe echo NAME PORT            answers UDP datagrams with NAME, from the address that was asked
//   lab_probe client TASK...            udp:LABEL,ADDRESS,PORT,RATE          datagrams a second
//                                       http:LABEL,ADDRESS,PORT,RATE,TIMEOUT  requests a second; milliseconds
//   lab_probe watch INTERFACE TASK...   neighbour:LABEL,ADDRESS,PERIOD        microseconds between two
//                                                                             questions
//                                       adverts:MAC,MAC...                    VRRP advertisements of these
//   lab_probe flood INTERFACE RATE MS   frames a second, for so long; in turn the frames on stdin, a line of
//                                       hexadecimal digits each
//
// Lines, times in nanoseconds of CLOCK_MONOTONIC; "-" for what did not come:
//   u LABEL SENT LATENCY NODE           a datagram; a reply after 20 ms counts as none
//   h LABEL SENT LATENCY STATUS NODE    an HTTP request with a connection of its own; STATUS or a reason
//   n LABEL SENT MAC,MAC                who answered one ARP request or neighbour solicitation
//   g LABEL SEEN MAC                    an announcement that nobody asked for (gratuitous ARP,
//                                       unsolicited NA)
//   v MAC SEEN FAMILY VRID PRIORITY CENTISECONDS    a VRRPv3 advertisement
//   s SEEN LATE                         the machine stalled: a sleep of 1 ms took LATE (3 ms and more) longer
//   t NOW                               all that was printed so far is on its way: a watermark
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace {

using Nanoseconds = std::int64_t;
constexpr Nanoseconds millisecond = 1'000'000;
constexpr Nanoseconds late = 20 * millisecond;  // a datagram's reply after this is none
constexpr Nanoseconds flush_period = 20 * millisecond;
constexpr Nanoseconds notable_stall = 3 * millisecond;

Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

[[noreturn]] void die(const std::string& doing) {
  const int code = errno;
  fmt::print(stderr, "lab_probe: {}: {}\n", doing, std::strerror(code));
  std::exit(1);
}

[[noreturn]] void usage(const std::string& why) {
  fmt::print(
      stderr,
      "lab_probe: {}\nusage: lab_probe echo NAME PORT | client TASK... | watch INTERFACE TASK... | flood "
      "INTERFACE RATE MILLISECONDS\n",
      why);
  std::exit(2);
}

int checked(int result, const std::string& doing) {
  if (result < 0) die(doing);
  return result;
}

// --- output -----------------------------------------------------------------------------------------------

// Lines to stdout. Never waits for the reader: a client that stands still would measure its own reader.
class Output {
 public:
  Output() { fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20); }

  void line(const std::string& text) {
    const std::lock_guard lock(mutex_);
    pending_ += text;
    pending_ += '\n';
  }
  void flush() {
    line(fmt::format("t {}", now()));
    const std::lock_guard lock(mutex_);
    fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
    const auto written = write(STDOUT_FILENO, pending_.data(), pending_.size());
    if (written > 0) pending_.erase(0, static_cast<std::size_t>(written));
    if (written < 0 && errno == EPIPE) std::exit(0);
  }

 private:
  std::mutex mutex_;
  std::string pending_;
};

Output output;

// --- addresses --------------------------------------------------------------------------------------------

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  bool is_ipv4() const { return storage.ss_family == AF_INET; }
  const in_addr& ipv4() const { return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr; }
  const in6_addr& ipv6() const { return reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr; }

  static Address parse(const std::string& text, std::uint16_t port = 0) {
    Address address;
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
      four->sin_family = AF_INET;
      four->sin_port = htons(port);
      address.size = sizeof *four;
    } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
      six->sin6_family = AF_INET6;
      six->sin6_port = htons(port);
      address.size = sizeof *six;
    } else {
      usage(fmt::format("\"{}\" is no address", text));
    }
    return address;
  }
};

// --- the machine ------------------------------------------------------------------------------------------

// A client or a server that the machine holds up measures the machine. Where we may not, we go on without.
void ask_for_priority() {
  const sched_param priority{1};
  sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &priority);
}

// --- the loop ---------------------------------------------------------------------------------------------

// Something that acts at a time of its own and when one of its descriptors is readable (or writable).
class Task {
 public:
  virtual ~Task() = default;
  virtual Nanoseconds deadline() const = 0;
  virtual void on_time(Nanoseconds time) = 0;
  virtual void on_descriptor(int descriptor, std::uint32_t events) = 0;
};

class Loop {
 public:
  Loop() {
    epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
    timer_ = checked(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd");
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signals_ = checked(signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd");
    add(timer_, EPOLLIN, nullptr);
    add(signals_, EPOLLIN, nullptr);
  }

  void add(int descriptor, std::uint32_t events, Task* task) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event), "epoll_ctl");
    owners_[descriptor] = task;
  }
  void change(int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = descriptor;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
  }
  void close(int descriptor) {
    owners_.erase(descriptor);
    ::close(descriptor);
  }

  // Until SIGTERM or SIGINT.
  void run(std::vector<std::unique_ptr<Task>>& tasks) {
    Nanoseconds next_flush = now();
    for (;;) {
      Nanoseconds earliest = next_flush;
      for (const auto& task : tasks) earliest = std::min(earliest, task->deadline());
      arm(earliest);
      std::array<epoll_event, 64> events{};
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
        if (descriptor == signals_) return output.flush();
        const auto owner = owners_.find(descriptor);
        if (owner != owners_.end() && owner->second)
          owner->second->on_descriptor(descriptor, events[static_cast<std::size_t>(i)].events);
      }
      for (const auto& task : tasks)
        if (task->deadline() <= now()) task->on_time(now());
      if (next_flush <= now()) {
        output.flush();
        next_flush = now() + flush_period;
      }
    }
  }

 private:
  void arm(Nanoseconds time) {
    itimerspec value{};
    value.it_value.tv_sec = time / 1'000'000'000;
    value.it_value.tv_nsec = time % 1'000'000'000;
    checked(timerfd_settime(timer_, TFD_TIMER_ABSTIME, &value, nullptr), "timerfd_settime");
  }

  int epoll_ = -1;
  int timer_ = -1;
  int signals_ = -1;
  std::map<int, Task*> owners_;
};

// When to send next: a fixed grid, so that a late turn does not shift the following ones. Turns that were
// missed altogether are not made up for: a burst would not be what a client does.
class Grid {
 public:
  explicit Grid(Nanoseconds period) : period_(period), next_(now() + period) {}
  Nanoseconds next() const { return next_; }
  void advance(Nanoseconds time) {
    next_ += period_;
    if (next_ <= time) next_ = time + period_;
  }

 private:
  Nanoseconds period_;
  Nanoseconds next_;
};

// --- UDP --------------------------------------------------------------------------------------------------

class UdpClient : public Task {
 public:
  UdpClient(Loop& loop, std::string label, Address server, Nanoseconds period)
      : label_(std::move(label)), server_(server), grid_(period) {
    socket_ =
        checked(socket(server.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "UDP socket");
    loop.add(socket_, EPOLLIN, this);
  }

  Nanoseconds deadline() const override { return grid_.next(); }

  void on_time(Nanoseconds time) override {
    while (!waiting_.empty() && waiting_.front().sent + late < time) {
      if (!waiting_.front().answered) output.line(fmt::format("u {} {} - -", label_, waiting_.front().sent));
      waiting_.pop_front();
      ++first_;
    }
    const std::uint64_t sequence = first_ + waiting_.size();
    waiting_.push_back({time, false});
    sendto(socket_, &sequence, sizeof sequence, 0, server_.get(), server_.size);  // a failure is a lost probe
    grid_.advance(time);
  }

  void on_descriptor(int, std::uint32_t) override {
    std::array<char, 256> buffer{};
    for (;;) {
      const auto size = recv(socket_, buffer.data(), buffer.size(), 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size < static_cast<ssize_t>(sizeof(std::uint64_t))) continue;
      std::uint64_t sequence = 0;
      std::memcpy(&sequence, buffer.data(), sizeof sequence);
      if (sequence < first_ || sequence - first_ >= waiting_.size()) continue;
      Probe& probe = waiting_[sequence - first_];
      const Nanoseconds latency = now() - probe.sent;
      if (probe.answered || latency > late) continue;
      probe.answered = true;
      const std::string_view node(buffer.data() + sizeof sequence,
                                  static_cast<std::size_t>(size) - sizeof sequence);
      output.line(fmt::format("u {} {} {} {}", label_, probe.sent, latency, node));
    }
  }

 private:
  struct Probe {
    Nanoseconds sent;
    bool answered;
  };
  std::string label_;
  Address server_;
  Grid grid_;
  int socket_ = -1;
  std::uint64_t first_ = 0;  // the sequence number of waiting_.front()
  std::deque<Probe> waiting_;
};

// One family's half of the echo server. It answers from the address that was asked: a reply from the node's
// own address would not show that the node has the virtual one.
void echo(int socket, std::string_view name) {
  std::array<char, 64> data{};
  alignas(cmsghdr) std::array<char, 128> control{};
  for (;;) {
    sockaddr_storage from{};
    iovec piece{data.data(), sizeof(std::uint64_t)};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = recvmsg(socket, &message, 0);
    if (size < 0) return;
    // The packet information comes back as it was received, but for the interface: routing decides.
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(part), sizeof info);
        info.ipi_ifindex = 0;
        info.ipi_spec_dst = info.ipi_addr;
        std::memcpy(CMSG_DATA(part), &info, sizeof info);
      }
    }
    std::memcpy(data.data() + size, name.data(), name.size());
    piece.iov_len = static_cast<std::size_t>(size) + name.size();
    sendmsg(socket, &message, 0);
  }
}

int run_echo(const std::string& name, std::uint16_t port) {
  const int one = 1;
  const int four = checked(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), "UDP socket");
  const int six = checked(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), "UDP socket");
  setsockopt(four, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  setsockopt(six, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
  setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  Address any4 = Address::parse("0.0.0.0", port);
  Address any6 = Address::parse("::", port);
  checked(bind(four, any4.get(), any4.size), "binding the echo server");
  checked(bind(six, any6.get(), any6.size), "binding the echo server");
  ask_for_priority();
  const int epoll = checked(epoll_create1(0), "epoll");
  for (const int each : {four, six}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = each;
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, each, &event), "epoll_ctl");
  }
  fmt::print("ready\n");
  std::fflush(stdout);
  for (;;) {
    epoll_event event{};
    if (epoll_wait(epoll, &event, 1, -1) == 1) echo(event.data.fd, name);
  }
}

// --- HTTP -------------------------------------------------------------------------------------------------

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
      const linger reset{1, 0};  // no retransmissions of a connection that nobody waits for
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

// --- who answers for an address ---------------------------------------------------------------------------

using Mac = std::array<std::uint8_t, 6>;

std::string to_string(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}

// A packet socket on the interface for frames of one type, without those that this host sends itself.
int packet_socket(const std::string& interface, std::uint16_t type) {
  const int descriptor =
      checked(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(type)), "packet socket");
  const int one = 1;
  setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(type);
  link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (link.sll_ifindex == 0) die("interface " + interface);
  checked(bind(descriptor, reinterpret_cast<sockaddr*>(&link), sizeof link), "binding to " + interface);
  return descriptor;
}

std::uint16_t icmp_checksum(const in6_addr& from, const in6_addr& to, const std::uint8_t* data,
                            std::size_t size) {
  std::uint32_t sum = 0;
  const auto add = [&sum](const std::uint8_t* bytes, std::size_t count) {
    for (std::size_t i = 0; i + 1 < count; i += 2)
      sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  };
  add(from.s6_addr, 16);
  add(to.s6_addr, 16);
  sum += static_cast<std::uint32_t>(size) + IPPROTO_ICMPV6;
  add(data, size);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

// Asks for one address again and again, and notes every MAC address that answers. It belongs into a namespace
// of its own: the answers would teach a client's kernel what only the announcements shall teach it.
class Neighbour : public Task {
 public:
  Neighbour(Loop& loop, const std::string& interface, std::string label, Address target, Nanoseconds period)
      : label_(std::move(label)), target_(target), grid_(period) {
    socket_ = packet_socket(interface, target.is_ipv4() ? ETH_P_ARP : ETH_P_IPV6);
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    checked(ioctl(socket_, SIOCGIFHWADDR, &request), "MAC address of " + interface);
    std::memcpy(mac_.data(), request.ifr_hwaddr.sa_data, 6);
    question_ = target.is_ipv4() ? arp_request(interface) : solicitation();
    loop.add(socket_, EPOLLIN, this);
  }

  Nanoseconds deadline() const override { return grid_.next(); }

  void on_time(Nanoseconds time) override {
    if (asked_ != 0) report();
    answers_.clear();
    asked_ = time;
    send(socket_, question_.data(), question_.size(), 0);
    grid_.advance(time);
  }

  void on_descriptor(int, std::uint32_t) override {
    std::array<std::uint8_t, 2048> frame{};
    for (;;) {
      const auto size = recv(socket_, frame.data(), frame.size(), 0);
      if (size < 0) return;
      if (target_.is_ipv4())
        read_arp(frame.data(), static_cast<std::size_t>(size));
      else
        read_advertisement(frame.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  void report() {
    std::string macs;
    for (const Mac& mac : answers_) macs += (macs.empty() ? "" : ",") + to_string(mac);
    output.line(fmt::format("n {} {} {}", label_, asked_, macs.empty() ? "-" : macs));
  }

  void answered(const Mac& mac, bool announcement) {
    if (announcement) return output.line(fmt::format("g {} {} {}", label_, now(), to_string(mac)));
    for (const Mac& known : answers_)
      if (known == mac) return;
    answers_.push_back(mac);
  }

  void read_arp(const std::uint8_t* frame, std::size_t size) {
    ether_arp arp{};
    if (size < sizeof(ether_header) + sizeof arp) return;
    std::memcpy(&arp, frame + sizeof(ether_header), sizeof arp);
    if (std::memcmp(arp.arp_spa, &target_.ipv4(), 4) != 0) return;
    Mac sender{};
    std::memcpy(sender.data(), arp.arp_sha, 6);
    const bool to_us = std::memcmp(frame, mac_.data(), 6) == 0;
    answered(sender, !to_us || ntohs(arp.ea_hdr.ar_op) != ARPOP_REPLY);
  }

  void read_advertisement(const std::uint8_t* frame, std::size_t size) {
    nd_neighbor_advert advert{};
    constexpr std::size_t start = sizeof(ether_header) + sizeof(ip6_hdr);
    if (size < start + sizeof advert || frame[sizeof(ether_header) + 6] != IPPROTO_ICMPV6) return;
    std::memcpy(&advert, frame + start, sizeof advert);
    if (advert.nd_na_type != ND_NEIGHBOR_ADVERT) return;
    if (std::memcmp(&advert.nd_na_target, &target_.ipv6(), 16) != 0) return;
    Mac sender{};
    const std::uint8_t* option = frame + start + sizeof advert;
    const bool has_option = size >= start + sizeof advert + 8 && option[0] == ND_OPT_TARGET_LINKADDR;
    std::memcpy(sender.data(), has_option ? option + 2 : frame + 6, 6);
    answered(sender, (advert.nd_na_flags_reserved & ND_NA_FLAG_SOLICITED) == 0);
  }

  std::vector<std::uint8_t> arp_request(const std::string& interface) const {
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    const int any = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    checked(ioctl(any, SIOCGIFADDR, &request), "IPv4 address of " + interface);
    close(any);
    sockaddr_in own{};
    std::memcpy(&own, &request.ifr_addr, sizeof own);
    ether_arp arp{};
    arp.ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
    arp.ea_hdr.ar_pro = htons(ETHERTYPE_IP);
    arp.ea_hdr.ar_hln = 6;
    arp.ea_hdr.ar_pln = 4;
    arp.ea_hdr.ar_op = htons(ARPOP_REQUEST);
    std::memcpy(arp.arp_sha, mac_.data(), 6);
    std::memcpy(arp.arp_spa, &own.sin_addr, 4);
    std::memcpy(arp.arp_tpa, &target_.ipv4(), 4);
    std::vector<std::uint8_t> frame = header({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ETHERTYPE_ARP);
    append(frame, &arp, sizeof arp);
    return frame;
  }

  // From the link-local address that belongs to our MAC address: the kernel has it once the link is up.
  std::vector<std::uint8_t> solicitation() const {
    const in6_addr& target = target_.ipv6();
    const Mac group{0x33, 0x33, 0xff, target.s6_addr[13], target.s6_addr[14], target.s6_addr[15]};
    ip6_hdr ip{};
    ip.ip6_flow = htonl(6U << 28);
    ip.ip6_plen = htons(sizeof(nd_neighbor_solicit) + 8);
    ip.ip6_nxt = IPPROTO_ICMPV6;
    ip.ip6_hlim = 255;
    const std::array<std::uint8_t, 16> own{
        0xfe,    0x80,    0,    0,    0,       0,       0,      0, static_cast<std::uint8_t>(mac_[0] ^ 2),
        mac_[1], mac_[2], 0xff, 0xfe, mac_[3], mac_[4], mac_[5]};
    const std::array<std::uint8_t, 16> solicited{0xff,
                                                 0x02,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 1,
                                                 0xff,
                                                 target.s6_addr[13],
                                                 target.s6_addr[14],
                                                 target.s6_addr[15]};
    std::memcpy(&ip.ip6_src, own.data(), 16);
    std::memcpy(&ip.ip6_dst, solicited.data(), 16);
    nd_neighbor_solicit question{};
    question.nd_ns_type = ND_NEIGHBOR_SOLICIT;
    question.nd_ns_target = target;
    std::vector<std::uint8_t> message;
    append(message, &question, sizeof question);
    message.insert(message.end(), {ND_OPT_SOURCE_LINKADDR, 1});
    append(message, mac_.data(), 6);
    const std::uint16_t checksum = icmp_checksum(ip.ip6_src, ip.ip6_dst, message.data(), message.size());
    std::memcpy(message.data() + 2, &checksum, 2);
    std::vector<std::uint8_t> frame = header(group, ETHERTYPE_IPV6);
    append(frame, &ip, sizeof ip);
    append(frame, message.data(), message.size());
    return frame;
  }

  std::vector<std::uint8_t> header(const Mac& to, std::uint16_t type) const {
    std::vector<std::uint8_t> frame(to.begin(), to.end());
    append(frame, mac_.data(), 6);
    frame.push_back(static_cast<std::uint8_t>(type >> 8));
    frame.push_back(static_cast<std::uint8_t>(type));
    return frame;
  }

  static void append(std::vector<std::uint8_t>& frame, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    frame.insert(frame.end(), bytes, bytes + size);
  }

  std::string label_;
  Address target_;
  Grid grid_;
  int socket_ = -1;
  Mac mac_{};
  std::vector<std::uint8_t> question_;
  Nanoseconds asked_ = 0;
  std::vector<Mac> answers_;
};

// --- who advertises ---------------------------------------------------------------------------------------

Mac parse_mac(const std::string& text) {
  Mac mac{};
  unsigned part[6];
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &part[0], &part[1], &part[2], &part[3], &part[4],
                  &part[5]) != 6)
    usage(fmt::format("\"{}\" is no MAC address", text));
  std::copy(std::begin(part), std::end(part), mac.begin());
  return mac;
}

// Notes the advertisements of some hosts. Those of anybody else, a flood's for instance, are not printed.
class Adverts : public Task {
 public:
  Adverts(Loop& loop, const std::string& interface, const std::vector<std::string>& macs) {
    for (const auto& mac : macs) macs_.push_back(parse_mac(mac));
    for (const std::uint16_t type : {ETH_P_IP, ETH_P_IPV6})
      loop.add(packet_socket(interface, type), EPOLLIN, this);
  }

  Nanoseconds deadline() const override { return std::numeric_limits<Nanoseconds>::max(); }
  void on_time(Nanoseconds) override {}

  void on_descriptor(int descriptor, std::uint32_t) override {
    std::array<std::uint8_t, 2048> frame{};
    for (;;) {
      const auto size = recv(descriptor, frame.data(), frame.size(), 0);
      if (size < 0) return;
      read(frame.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  void read(const std::uint8_t* frame, std::size_t size) {
    constexpr std::size_t ethernet = sizeof(ether_header);
    constexpr std::uint8_t vrrp = 112;
    if (size < ethernet + 20) return;
    const int family = frame[ethernet] >> 4;
    const std::size_t header = family == 4 ? (frame[ethernet] & 15U) * 4 : sizeof(ip6_hdr);
    const std::uint8_t protocol = frame[ethernet + (family == 4 ? 9 : 6)];
    if (protocol != vrrp || size < ethernet + header + 8) return;
    const std::uint8_t* message = frame + ethernet + header;
    Mac sender{};
    std::memcpy(sender.data(), frame + 6, 6);
    if (std::find(macs_.begin(), macs_.end(), sender) == macs_.end() || message[0] != 0x31) return;
    output.line(fmt::format("v {} {} {} {} {} {}", to_string(sender), now(), family, message[1], message[2],
                            (message[4] & 15) << 8 | message[5]));
  }

  std::vector<Mac> macs_;
};

// --- floods -----------------------------------------------------------------------------------------------

std::vector<std::uint8_t> parse_frame(const std::string& hexadecimal) {
  std::vector<std::uint8_t> frame;
  for (std::size_t at = 0; at + 2 <= hexadecimal.size(); at += 2) {
    unsigned value = 0;
    const char* begin = hexadecimal.data() + at;
    if (std::from_chars(begin, begin + 2, value, 16).ptr != begin + 2) usage("a frame is hexadecimal digits");
    frame.push_back(static_cast<std::uint8_t>(value));
  }
  return frame;
}

std::vector<std::vector<std::uint8_t>> read_frames() {
  std::vector<std::vector<std::uint8_t>> frames;
  for (std::string line; std::getline(std::cin, line);) frames.push_back(parse_frame(line));
  return frames;
}

// In bursts of a millisecond; what the machine did not let us send in time is not made up for.
int flood(const std::string& interface, std::int64_t rate, std::int64_t milliseconds) {
  auto frames = read_frames();
  if (frames.empty()) usage("no frames");
  const int socket = checked(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "packet socket");
  const int one = 1;
  setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  checked(bind(socket, reinterpret_cast<sockaddr*>(&link), sizeof link), "binding to " + interface);
  const auto burst = static_cast<std::size_t>(std::max<std::int64_t>(1, rate / 1000));
  std::vector<iovec> data(burst);
  std::vector<mmsghdr> messages(burst);
  std::size_t next_frame = 0;
  std::int64_t sent = 0;
  Grid grid(static_cast<Nanoseconds>(burst) * 1'000'000'000 / rate);
  for (const Nanoseconds end = now() + milliseconds * millisecond; now() < end;) {
    for (std::size_t i = 0; i < burst; ++i) {
      auto& frame = frames[next_frame++ % frames.size()];
      data[i] = {frame.data(), frame.size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &data[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = sendmmsg(socket, messages.data(), static_cast<unsigned>(burst), 0);
    sent += std::max(count, 0);
    timespec until{grid.next() / 1'000'000'000, grid.next() % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    grid.advance(now());
  }
  fmt::print("{}\n", sent);
  return 0;
}

// --- stalls -----------------------------------------------------------------------------------------------

// A thread that wants to wake up every millisecond, at ordinary priority like the programs under test, on one
// processor: another one may go on while this one is taken by somebody of higher priority.
void watch_for_stalls(unsigned processor) {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(processor, &here);
  sched_setaffinity(0, sizeof here, &here);  // where that is refused, one more thread looks anywhere
  prctl(PR_SET_TIMERSLACK, 1);
  for (;;) {
    const Nanoseconds wanted = now() + millisecond;
    timespec until{wanted / 1'000'000'000, wanted % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    const Nanoseconds overrun = now() - wanted;
    if (overrun >= notable_stall) output.line(fmt::format("s {} {}", wanted + overrun, overrun));
  }
}

// --- command line -----------------------------------------------------------------------------------------

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::int64_t number(const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    usage(fmt::format("\"{}\" is no number from {} to {}", text, least, most));
  return value;
}

std::unique_ptr<Task> make_task(Loop& loop, const std::string& text, const std::string& interface) {
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const auto parts = colon == std::string::npos ? std::vector<std::string>{}
                                                : split(std::string_view(text).substr(colon + 1), ',');
  const auto port = [&parts] { return static_cast<std::uint16_t>(number(parts[2], 1, 65535)); };
  const auto period = [&parts] { return 1'000'000'000 / number(parts[3], 1, 100'000); };
  if (kind == "udp" && parts.size() == 4)
    return std::make_unique<UdpClient>(loop, parts[0], Address::parse(parts[1], port()), period());
  if (kind == "http" && parts.size() == 5)
    return std::make_unique<HttpClient>(loop, parts[0], Address::parse(parts[1], port()), period(),
                                        number(parts[4], 1, 60'000) * millisecond);
  if (kind == "adverts" && !parts.empty() && !interface.empty())
    return std::make_unique<Adverts>(loop, interface, parts);
  if (kind == "neighbour" && parts.size() == 3 && !interface.empty())
    return std::make_unique<Neighbour>(loop, interface, parts[0], Address::parse(parts[1]),
                                       number(parts[2], 100, 10'000'000) * 1000);
  usage(fmt::format("\"{}\" is no task", text));
}

int run_tasks(const std::vector<std::string>& texts, const std::string& interface) {
  ask_for_priority();
  prctl(PR_SET_TIMERSLACK, 1);
  Loop loop;
  std::vector<std::unique_ptr<Task>> tasks;
  for (const auto& text : texts) tasks.push_back(make_task(loop, text, interface));
  if (tasks.empty()) usage("nothing to do");
  if (!std::getenv("LAB_PROBE_NO_STALLS"))
    for (unsigned each = 0; each < std::thread::hardware_concurrency(); ++each)
      std::thread(watch_for_stalls, each).detach();
  loop.run(tasks);
  return 0;
}

}  // namespace

int main(int count, char** values) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // the lab that started us is gone
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() == 3 && arguments[0] == "echo")
    return run_echo(arguments[1], static_cast<std::uint16_t>(number(arguments[2], 1, 65535)));
  if (arguments.size() >= 2 && arguments[0] == "client")
    return run_tasks({arguments.begin() + 1, arguments.end()}, {});
  if (arguments.size() >= 3 && arguments[0] == "watch")
    return run_tasks({arguments.begin() + 2, arguments.end()}, arguments[1]);
  if (arguments.size() == 4 && arguments[0] == "flood")
    return flood(arguments[1], number(arguments[2], 1, 10'000'000), number(arguments[3], 1, 600'000));
  usage("what shall I do?");
}
