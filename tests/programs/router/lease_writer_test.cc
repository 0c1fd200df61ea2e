#include "programs/router/lease_writer.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/fd.h"

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint none{};

vrrp::RouterKey key(vrrp::Vrid vrid) {
  return {"eth0", vrid, Family::ipv4};
}

// What the kernel's map is in the programs: memory that several have mapped.
struct Memory {
  io::Fd fd{memfd_create("slots", MFD_CLOEXEC)};
  netlink::LeaseSlots slots = std::move(make().value());

  io::Fd copy() const { return io::Fd(dup(fd.get())); }

  Result<netlink::LeaseSlots> make() const {
    REQUIRE(ftruncate(fd.get(), 1 << 20) == 0);
    return netlink::LeaseSlots::map(fd.get());
  }
};
}  // namespace

TEST_CASE("each virtual router writes into the slot that the guardian has given it") {
  const Memory memory;
  LeaseWriter writer;
  REQUIRE(writer.replace({{{key(1), 5}, {key(2), 3}}, {}, memory.copy()}));
  writer.set(key(1), TimePoint{1s});
  writer.set(key(2), TimePoint{2s});
  writer.set(key(9), TimePoint{9s});  // has none
  CHECK(memory.slots.until(5) == TimePoint{1s});
  CHECK(memory.slots.until(3) == TimePoint{2s});
  writer.set(key(2), none);
  CHECK(memory.slots.until(3) == none);
  CHECK(writer.status().at(key(1)).until == TimePoint{1s});
}

TEST_CASE("what was renewed in a predecessor's place is not taken back by its successor's first word") {
  Memory memory;
  memory.slots.set(5, TimePoint{10s});
  LeaseWriter writer;
  REQUIRE(writer.replace({{{key(1), 5}}, {}, memory.copy()}));
  writer.set(key(1), TimePoint{9s});
  CHECK(memory.slots.until(5) == TimePoint{10s});
  writer.set(key(1), TimePoint{11s});
  CHECK(memory.slots.until(5) == TimePoint{11s});
  writer.set(key(1), TimePoint{4s});  // from then on its word counts: the interval has become shorter
  CHECK(memory.slots.until(5) == TimePoint{4s});
}

TEST_CASE("a lease that has run out before the start is cleared by whoever has removed the addresses") {
  Memory memory;
  memory.slots.set(5, TimePoint{1s});
  LeaseWriter writer;
  REQUIRE(writer.replace({{{key(1), 5}}, {}, memory.copy()}));
  writer.set(key(1), none);
  CHECK(memory.slots.until(5) == none);
}

TEST_CASE("a message without memory keeps what there is, and slots that went are not written any more") {
  const Memory memory;
  LeaseWriter writer;
  REQUIRE(writer.replace({{{key(1), 5}, {key(2), 6}}, {}, memory.copy()}));
  writer.set(key(1), TimePoint{1s});
  REQUIRE(writer.replace({{{key(2), 6}}, {{key(1), "the interface is not there"}}, {}}));
  writer.set(key(1), TimePoint{2s});
  writer.set(key(2), TimePoint{2s});
  CHECK(memory.slots.until(5) == TimePoint{1s});
  CHECK(memory.slots.until(6) == TimePoint{2s});
  CHECK(writer.status().at(key(1)).why_not == "the interface is not there");
}

TEST_CASE("without memory nothing is written, and it is told why") {
  LeaseWriter writer;
  REQUIRE(writer.replace({{{key(1), 5}}, {{key(1), "no"}}, {}}));
  writer.set(key(1), TimePoint{1s});
  CHECK(writer.status().at(key(1)).why_not == "no");
}
