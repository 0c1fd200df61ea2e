#include "programs/guardian/handover.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

using namespace vipd;
using namespace vipd::programs;

namespace {
Handover sample() {
  Handover handover;
  handover.version = "1.2.3";
  handover.configuration = "virtual_routers: {}\n";
  handover.router = {42, 7, TimePoint{std::chrono::seconds(5)}, 3};
  handover.claims = {8, 9};
  handover.ending = {43, 44};
  return handover;
}

// A memory file with these bytes.
io::Fd file_of(const std::vector<std::uint8_t>& bytes, bool sealed) {
  io::Fd fd(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(write(fd.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  if (sealed) REQUIRE(fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
  return fd;
}

std::vector<std::uint8_t> bytes_of(const io::Fd& fd) {
  std::vector<std::uint8_t> bytes(4096);
  const auto size = pread(fd.get(), bytes.data(), bytes.size(), 0);
  REQUIRE(size > 0);
  bytes.resize(static_cast<std::size_t>(size));
  return bytes;
}
}  // namespace

TEST_CASE("handover: the next program reads the state that one has written") {
  const auto fd = pack(sample());
  REQUIRE(fd);
  const auto back = unpack(fd->get());
  REQUIRE(back);
  CHECK(to_bytes(*back) == to_bytes(sample()));
}

TEST_CASE("handover: another format is refused, and the message says which") {
  auto bytes = bytes_of(pack(sample()).value());
  bytes[12] = 99;
  const auto back = unpack(file_of(bytes, true).get());
  REQUIRE_FALSE(back);
  CHECK(back.error().message == "the handover state has format 99, this version (vipd " VIPD_VERSION
                                ") reads formats 2 and 3");
}

TEST_CASE("handover: a truncated, foreign or unsealed state is refused") {
  const auto bytes = bytes_of(pack(sample()).value());
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(
        unpack(file_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}, true).get()));
  const auto refusal = [](const std::vector<std::uint8_t>& content, bool sealed) {
    return unpack(file_of(content, sealed).get()).error().message;
  };
  CHECK(refusal({bytes.begin(), bytes.end() - 1}, true) == "the handover state is damaged");
  CHECK(refusal(bytes, false) == "the handover state is not in a sealed memory file");
  CHECK(refusal(std::vector<std::uint8_t>(100, 'x'), true) == "the handover state is not from vipd");
  CHECK(unpack(STDIN_FILENO).error().message == "the handover state is not in a sealed memory file");
}

TEST_CASE("handover: a refusal of the kernel is an error, and then nothing is handed over") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{8, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
  const auto unwritten = pack(sample());
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(unwritten);
  CHECK(unwritten.error().message == "writing the handover state: File too large");
  CHECK(keep_open({-1}, true).error().message == "handing over descriptor -1: Bad file descriptor");
}

TEST_CASE("handover: a version is later by its numbers") {
  CHECK(is_later("0.2.0", "0.1.0"));
  CHECK(is_later("0.10.0", "0.9.2"));
  CHECK(is_later("1.0", "0.9.9"));
  CHECK(is_later("0.2.1", "0.2"));
  CHECK_FALSE(is_later("0.2.0", "0.2.0"));
  CHECK_FALSE(is_later("0.2", "0.2.0"));
  CHECK_FALSE(is_later("0.1.9", "0.2.0"));
  CHECK_FALSE(is_later("", "0.1.0"));
}
