#include "io/channel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "io/clock.h"
#include "io/loop.h"
#include "io/shared_memory.h"
#include "tests/network.h"

using namespace vipd;
using namespace vipd::io;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes pattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 251);
  return bytes;
}

std::vector<Message> receive_all(Channel& channel) {
  std::vector<Message> messages;
  while (true) {
    const auto before = messages.size();
    const auto open = channel.receive([&](Message message) { messages.push_back(std::move(message)); });
    REQUIRE_MESSAGE(open, (open ? "" : open.error().message));
    if (messages.size() == before) return messages;
  }
}

// A pipe that contains a letter: a descriptor that the test can recognise.
Fd letter(char which) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  Fd write_end(ends[1]);
  REQUIRE(write(write_end.get(), &which, 1) == 1);
  return Fd(ends[0]);
}

char letter_in(const Fd& fd) {
  char which = 0;
  CHECK(read(fd.get(), &which, 1) == 1);
  return which;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

// One end is a Channel, the other the plain socket of an attacker.
struct Attacked {
  Channel channel;
  Fd attacker;
};

Attacked attacked() {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  return {Channel::adopt(Fd(ends[0])).value(), Fd(ends[1])};
}

struct WireHeader {
  std::uint32_t magic = 0x56495044;
  std::uint16_t type = 1;
  std::uint16_t fds = 0;
  std::uint32_t size = 0;
  std::uint32_t in_file = 0;
};

void send_raw(const Fd& socket, Bytes bytes, const std::vector<int>& fds = {}) {
  std::array<char, 4096> control{};
  iovec part{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    auto* message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(message), fds.data(), fds.size() * sizeof(int));
  }
  REQUIRE(sendmsg(socket.get(), &header, 0) >= 0);
}

Bytes wire(const WireHeader& header, std::size_t body = 0) {
  Bytes bytes(sizeof header + body);
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

std::string refusal(Channel& channel) {
  const auto result = channel.receive([](const Message&) { FAIL("an invalid message was delivered"); });
  if (result) return "accepted";
  CHECK(result.error().code == EPROTO);
  return result.error().message.substr(result.error().message.find(": ") + 2);
}

}  // namespace

TEST_CASE("messages arrive whole, in order, with their types, in both directions") {
  auto [a, b] = Channel::pair().value();
  CHECK(a.send(1, Bytes{1, 2, 3}).value());
  CHECK(a.send(65535, {}).value());
  CHECK(b.send(7, pattern(5000)).value());
  auto at_b = receive_all(b);
  REQUIRE(at_b.size() == 2);
  CHECK(at_b[0].type == 1);
  CHECK(at_b[0].bytes == Bytes{1, 2, 3});
  CHECK(at_b[1].type == 65535);
  CHECK(at_b[1].bytes.empty());
  auto at_a = receive_all(a);
  REQUIRE(at_a.size() == 1);
  CHECK(at_a[0].bytes == pattern(5000));
}

TEST_CASE("a message of any size arrives, with its descriptors") {
  auto [a, b] = Channel::pair().value();
  for (const std::size_t size : {99'999, 100'000, 100'001, 5'000'000}) {
    CAPTURE(size);
    const Fd first = letter('x');
    const Fd second = letter('y');
    const std::array fds{first.get(), second.get()};
    REQUIRE(a.send(3, pattern(size), fds).value());
    auto messages = receive_all(b);
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].bytes == pattern(size));
    REQUIRE(messages[0].fds.size() == 2);
    CHECK(letter_in(messages[0].fds[0]) == 'x');
    CHECK(letter_in(messages[0].fds[1]) == 'y');
    CHECK(fcntl(messages[0].fds[0].get(), F_GETFD) == FD_CLOEXEC);
  }
}

TEST_CASE("the sender rejects a message that exceeds the limits") {
  auto [a, b] = Channel::pair().value();
  const auto too_long = a.send(1, Bytes(Channel::most_bytes + 1));
  REQUIRE_FALSE(too_long);
  CHECK(too_long.error().code == EMSGSIZE);
  CHECK(a.send(1, {}, std::vector<int>(Channel::most_fds, 0)).value());
  CHECK_FALSE(a.send(1, {}, std::vector<int>(Channel::most_fds + 1, 0)));
  const auto messages = receive_all(b);
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].fds.size() == Channel::most_fds);
}

TEST_CASE("a slow reader makes the sender keep messages, which follow in order") {
  auto [a, b] = Channel::pair().value();
  int count = 0;
  while (a.send(static_cast<std::uint16_t>(count), pattern(50'000)).value()) REQUIRE(++count < 10'000);
  // From here on messages wait, including those with a descriptor.
  REQUIRE(a.waiting());
  const Fd fd = letter('z');
  const std::array fds{fd.get()};
  CHECK_FALSE(a.send(static_cast<std::uint16_t>(++count), {}, fds).value());
  CHECK_FALSE(a.send(static_cast<std::uint16_t>(++count), pattern(200'000)).value());
  ++count;

  Loop loop;
  auto writable = loop.watch(a.fd(), EPOLLOUT, [&](std::uint32_t) { CHECK(a.flush()); });
  std::vector<Message> messages;
  while (a.waiting()) {
    for (auto& each : receive_all(b)) messages.push_back(std::move(each));
    REQUIRE(loop.wait(now() + std::chrono::seconds(1)));
  }
  for (auto& each : receive_all(b)) messages.push_back(std::move(each));
  REQUIRE(messages.size() == static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < messages.size(); ++i) CHECK(messages[i].type == i);
  CHECK(letter_in(messages[messages.size() - 2].fds.at(0)) == 'z');
  CHECK(messages.back().bytes == pattern(200'000));
}

TEST_CASE("the backlog is bounded") {
  auto [a, b] = Channel::pair().value();
  Result<bool> result = true;
  int accepted = 0;
  while ((result = a.send(1, Bytes(10)))) REQUIRE(++accepted < 100'000);
  CHECK(result.error().code == ENOBUFS);
  CHECK(receive_all(b).size() + Channel::most_waiting == static_cast<std::size_t>(accepted));

  auto [c, d] = Channel::pair().value();
  std::size_t bytes = 0;
  while (c.send(1, pattern(100'000))) REQUIRE((bytes += 100'000) < 2 * Channel::most_waiting_bytes);
}

TEST_CASE("the end of the other side is reported after its last messages") {
  auto ends = Channel::pair().value();
  auto& here = ends.first;
  CHECK(ends.second.send(1, Bytes{42}).value());
  ends.second.release();
  int messages = 0;
  const auto open = here.receive([&](const Message& message) {
    ++messages;
    CHECK(message.bytes == Bytes{42});
  });
  REQUIRE(open);
  CHECK_FALSE(*open);
  CHECK(messages == 1);
  const auto sent = here.send(1, Bytes{1});
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == EPIPE);
}

TEST_CASE("the last messages of the other side arrive even if it ended without reading ours") {
  auto ends = Channel::pair().value();
  CHECK(ends.first.send(1, Bytes{42}).value());
  CHECK(ends.second.send(2, Bytes{43}).value());
  ends.second.release();
  int messages = 0;
  const auto open = ends.first.receive([&](const Message&) { ++messages; });
  REQUIRE(open);
  CHECK_FALSE(*open);
  CHECK(messages == 1);
}

TEST_CASE("an invalid message is rejected and leaves no descriptor open") {
  const auto before = open_descriptors();
  {
    auto [channel, attacker] = attacked();
    send_raw(attacker, Bytes(5));
    CHECK(refusal(channel) == "it is too short");

    send_raw(attacker, Bytes(sizeof(WireHeader)));
    CHECK(refusal(channel) == "its header is unknown");

    WireHeader header;
    header.size = 10;
    send_raw(attacker, wire(header, 9));
    CHECK(refusal(channel) == "its size is wrong");
    send_raw(attacker, wire(header, 11));
    CHECK(refusal(channel) == "its size is wrong");
    header.size = 0xffffffff;
    send_raw(attacker, wire(header));
    CHECK(refusal(channel) == "its size is wrong");

    header = {};
    header.size = 120'000;
    send_raw(attacker, wire(header, 120'000));
    CHECK(refusal(channel) == "it is truncated");

    header = {};
    const Fd pipe = letter('a');
    send_raw(attacker, wire(header), {pipe.get()});
    CHECK(refusal(channel) == "it came with 1 descriptors instead of 0");
    header.fds = 3;
    send_raw(attacker, wire(header), {pipe.get()});
    CHECK(refusal(channel) == "it came with 1 descriptors instead of 3");
    header.fds = 200;
    send_raw(attacker, wire(header), std::vector<int>(200, pipe.get()));
    CHECK(refusal(channel) == "it is truncated");
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("a memory file is accepted only if it is sealed and has the announced size") {
  auto [channel, attacker] = attacked();
  WireHeader header;
  header.in_file = 1;
  header.size = 150'000;

  const Fd pipe = letter('a');
  send_raw(attacker, wire(header), {pipe.get()});
  CHECK(refusal(channel) == "its memory file is not sealed");

  const Fd file = open_memory_file("test").value();
  REQUIRE(ftruncate(file.get(), 150'000) == 0);
  send_raw(attacker, wire(header), {file.get()});
  CHECK(refusal(channel) == "its memory file is not sealed");

  REQUIRE(fcntl(file.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0);
  header.size = 150'001;
  send_raw(attacker, wire(header), {file.get()});
  CHECK(refusal(channel) == "its memory file does not have the announced size");

  header.size = 0xffffffff;
  send_raw(attacker, wire(header), {file.get()});
  CHECK(refusal(channel) == "its size is wrong");

  header.size = 150'000;
  send_raw(attacker, wire(header), {file.get()});
  const auto messages = receive_all(channel);
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].bytes == Bytes(150'000));
}

TEST_CASE("only a sequenced-packet socket becomes a channel") {
  CHECK_FALSE(Channel::adopt(letter('a')));
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  Fd other(ends[1]);
  const auto channel = Channel::adopt(Fd(ends[0]));
  REQUIRE_FALSE(channel);
  CHECK(channel.error().code == EPROTOTYPE);
}

TEST_CASE("shared memory is the same memory at both ends, and neither end can shrink it") {
  auto here = SharedMemory::create("vipd-test", 4096).value();
  auto [a, b] = Channel::pair().value();
  const std::array fds{here.fd()};
  REQUIRE(a.send(1, {}, fds).value());
  auto messages = receive_all(b);
  auto there = SharedMemory::adopt(std::move(messages.at(0).fds.at(0)), 4096).value();
  CHECK(here.as<std::uint64_t>() == 0);
  here.as<std::uint64_t>() = 12345;
  CHECK(there.as<std::uint64_t>() == 12345);
  CHECK(ftruncate(there.fd(), 0) != 0);
  CHECK(ftruncate(there.fd(), 8192) != 0);
  CHECK(there.bytes().size() == 4096);
}

TEST_CASE("shared memory that could shrink, or is too small, is rejected") {
  auto loose = open_memory_file("test").value();
  REQUIRE(ftruncate(loose.get(), 4096) == 0);
  const auto refused = SharedMemory::adopt(std::move(loose), 4096);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == EPROTO);
  auto small = SharedMemory::create("vipd-test", 100).value();
  auto copy = Fd(fcntl(small.fd(), F_DUPFD_CLOEXEC, 0));
  const auto too_small = SharedMemory::adopt(std::move(copy), 4096);
  REQUIRE_FALSE(too_small);
  CHECK(too_small.error().code == EPROTO);
  CHECK(too_small.error().message.find("100 bytes") != std::string::npos);
}
