#include "programs/common/link.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "programs/common/monitor_router_messages.h"

using namespace vipd;
using namespace vipd::programs;

namespace {
// One end is a Link, the other one a bare channel: another program.
struct Ends {
  explicit Ends(ArchiveFormat format) : other(std::move(pair.second)) {
    link.attach(std::move(pair.first), format);
  }

  // What the other program receives after the link has sent this.
  io::Message sent(const Command& command) {
    link.send(command);
    std::vector<io::Message> messages;
    REQUIRE(other.receive([&](io::Message message) { messages.push_back(std::move(message)); }));
    REQUIRE(messages.size() == 1);
    return std::move(messages[0]);
  }
  void talk(std::uint16_t type, const std::vector<std::uint8_t>& bytes, std::vector<int> fds = {}) {
    REQUIRE(other.send(type, bytes, fds));
    (void)loop.wait(TimePoint{});
  }

  io::Loop loop;
  std::vector<std::string> commands;
  Log log{"test", Level::error};
  // As if both ends were a router and a monitor at once.
  Link<MonitorToRouter, MonitorToRouter> link{loop, log, "the other one",
                                              [this](const MonitorToRouter& message) {
                                                if (const auto* command = std::get_if<Command>(&message))
                                                  commands.push_back(command->router);
                                              },
                                              [](const std::string&) {}};
  std::pair<io::Channel, io::Channel> pair = std::move(io::Channel::pair().value());
  io::Channel other;
};

const Command command{1, TimePoint{}, "edge", false};
constexpr auto number = static_cast<std::uint16_t>(MessageType::command);
constexpr auto old_format = ArchiveFormat::release_0_1;
}  // namespace

TEST_CASE("a program of release 0.1 gets the messages of that release") {
  Ends ends(old_format);
  const auto message = ends.sent(command);
  CHECK(message.type == number);
  CHECK(message.bytes == to_bytes(command, old_format));
}

TEST_CASE("a program of release 0.1 does not know the type of a tagged message, so it cannot misread one") {
  Ends ends(ArchiveFormat::tagged);
  CHECK(ends.sent(command).type > static_cast<std::uint16_t>(MessageType::delivery_settings));
}

TEST_CASE("a link answers in the format in which the other program talks") {
  Ends ends(ArchiveFormat::tagged);
  ends.talk(number, to_bytes(command, old_format));
  CHECK(ends.commands == std::vector<std::string>{"edge"});
  CHECK(ends.sent(command).type == number);
  ends.talk(number | tagged_type, to_bytes(command));
  CHECK(ends.commands.size() == 2);
  CHECK(ends.sent(command).bytes == to_bytes(command));
}

TEST_CASE("a message that cannot be read is dropped, and the next one is taken") {
  Ends ends(old_format);
  ends.talk(number, {1, 2, 3});
  ends.talk(number, to_bytes(command));
  CHECK(ends.commands.empty());
  ends.talk(number, to_bytes(command, old_format));
  CHECK(ends.commands.size() == 1);
}

TEST_CASE(
    "what is of another direction, unknown, or carries more than its type says is ignored, and the link goes "
    "on") {
  Ends ends(ArchiveFormat::tagged);
  ends.talk(static_cast<std::uint16_t>(MessageType::stop) | tagged_type, to_bytes(Discard{}));
  ends.talk(0x7fff, {});
  std::array<int, 2> fds{};
  REQUIRE(pipe(fds.data()) == 0);
  ends.talk(number | tagged_type, to_bytes(command), {fds[0]});
  CHECK(ends.commands.empty());
  CHECK(ends.link.attached());
  // Nor does what was passed with it stay open.
  REQUIRE(close(fds[0]) == 0);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  CHECK(write(fds[1], "x", 1) == -1);
  std::signal(SIGPIPE, before);
  REQUIRE(close(fds[1]) == 0);
  ends.talk(number | tagged_type, to_bytes(command));
  CHECK(ends.commands.size() == 1);
}

TEST_CASE("a message with a place for a descriptor is received with it, or without") {
  io::Message message{
      static_cast<std::uint16_t>(MessageType::discard) | tagged_type, to_bytes(Discard{}), {}};
  CHECK_FALSE(std::get<Discard>(Direction<RouterToMonitor>::read(std::move(message)).value()).descriptor);
  std::array<int, 2> fds{};
  REQUIRE(pipe(fds.data()) == 0);
  io::Fd other(fds[1]);
  message = {static_cast<std::uint16_t>(MessageType::discard) | tagged_type, to_bytes(Discard{}), {}};
  message.fds.emplace_back(fds[0]);
  CHECK(std::get<Discard>(Direction<RouterToMonitor>::read(std::move(message)).value()).descriptor.get() ==
        fds[0]);
}
