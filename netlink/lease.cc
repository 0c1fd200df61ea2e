#include "netlink/lease.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <lease_program.skel.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

#include "netlink/filter_watch.h"
#include "netlink/lease_layout.h"

namespace vipd::netlink {

namespace {

constexpr std::array hooks{Hook::ingress, Hook::egress};

std::string name_of(Hook hook) {
  return hook == Hook::ingress ? "vipd_lease_in" : "vipd_lease_out";
}

FilterPlace place(std::uint32_t interface_index, Hook hook) {
  return {interface_index, hook, lease_priority, lease_handle};
}

vipd_lease_address key_of(const Lease::Address& address) {
  vipd_lease_address key{};
  key.ifindex = address.first;
  key.family = address.second.family == Family::ipv4 ? 4 : 6;
  const auto octets = address.second.bytes();
  std::copy(octets.begin(), octets.end(), key.octets);
  return key;
}

// An entry of the address map that is not an address; a later vipd finds it there.
vipd_lease_address qdisc_mark(std::uint32_t interface_index) {
  vipd_lease_address key{};
  key.ifindex = interface_index;
  return key;
}

std::optional<Lease::Address> address_of(const vipd_lease_address& key) {
  if (key.family != 4 && key.family != 6) return std::nullopt;
  IpAddress address;
  address.family = key.family == 4 ? Family::ipv4 : Family::ipv6;
  std::copy_n(key.octets, address.size(), address.octets.begin());
  return Lease::Address{key.ifindex, address};
}

// The program in the kernel reads the clock of the machine, but this process may read another one.
Result<> check_clock() {
  std::ifstream file("/proc/self/timens_offsets");
  std::string clock;
  long seconds = 0;
  long nanoseconds = 0;
  while (file >> clock >> seconds >> nanoseconds)
    if (clock == "boottime" && (seconds != 0 || nanoseconds != 0))
      return failure("this time namespace has its own boot time", EINVAL);
  return {};
}

// The maps that a program in the kernel uses, by name, as far as this process may see them.
std::map<std::string, io::Fd> maps_of(std::uint32_t program_number) {
  const io::Fd program(bpf_prog_get_fd_by_id(program_number));
  if (!program) return {};
  std::array<std::uint32_t, 8> numbers{};
  bpf_prog_info info{};
  info.nr_map_ids = numbers.size();
  info.map_ids = reinterpret_cast<std::uintptr_t>(numbers.data());
  std::uint32_t size = sizeof info;
  if (bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return {};
  std::map<std::string, io::Fd> maps;
  for (std::size_t i = 0; i < std::min<std::size_t>(info.nr_map_ids, numbers.size()); ++i) {
    io::Fd map(bpf_map_get_fd_by_id(numbers[i]));
    bpf_map_info about{};
    std::uint32_t about_size = sizeof about;
    if (map && bpf_obj_get_info_by_fd(map.get(), &about, &about_size) == 0) maps[about.name] = std::move(map);
  }
  return maps;
}

bool has_shape_of(const io::Fd& there, const bpf_map* map) {
  bpf_map_info info{};
  std::uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(there.get(), &info, &size) == 0 && info.type == bpf_map__type(map) &&
         info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map) &&
         info.max_entries == bpf_map__max_entries(map) && info.map_flags == bpf_map__map_flags(map);
}

class KernelLease : public Lease {
 public:
  static Result<std::unique_ptr<Lease>> open();

  Result<std::set<std::uint32_t>> interfaces() override;
  Result<bool> attach(std::uint32_t interface_index) override;
  Result<> detach(std::uint32_t interface_index) override;
  Result<> guard(const Address& address, std::uint32_t slot) override;
  Result<> release(const Address& address) override;
  Result<Addresses> guarded() override;
  LeaseSlots& slots() override { return *slots_; }
  int events_fd() const override { return watch_.fd(); }
  Result<> receive_events(const Touched& touched) override { return watch_.receive(touched); }
  int slots_fd() const override { return bpf_map__fd(programs_->maps.vipd_slots); }
  bool is_adopted() const override { return adopted_; }
  int program(Hook hook) const override {
    return bpf_program__fd(hook == Hook::ingress ? programs_->progs.vipd_lease_in
                                                 : programs_->progs.vipd_lease_out);
  }

 private:
  struct Close {
    void operator()(lease_program* programs) const { lease_program__destroy(programs); }
  };

  KernelLease(Socket socket, FilterWatch watch) : socket_(std::move(socket)), watch_(std::move(watch)) {}
  Result<> load();
  void adopt();
  Result<std::optional<Filter>> ours(std::uint32_t interface_index, Hook hook);
  std::uint32_t number_of(Hook hook) const;
  int addresses_fd() const { return bpf_map__fd(programs_->maps.vipd_addresses); }

  Socket socket_;
  FilterWatch watch_;
  std::unique_ptr<lease_program, Close> programs_;
  std::optional<LeaseSlots> slots_;
  bool adopted_ = false;
};

Result<std::unique_ptr<Lease>> KernelLease::open() {
  TRY_VOID(check_clock());
  std::unique_ptr<KernelLease> lease(new KernelLease(
      TRY(Socket::open(NETLINK_ROUTE)),
      TRY(FilterWatch::open(lease_priority, lease_handle, {name_of(Hook::ingress), name_of(Hook::egress)}))));
  TRY_VOID(lease->load());
  return lease;
}

Result<> KernelLease::load() {
  libbpf_set_print(nullptr);  // a library does not log; the error is in errno
  programs_.reset(lease_program__open());
  if (!programs_) return system_failure("reading the program of the lease");
  adopt();
  if (const int error = lease_program__load(programs_.get()); error != 0)
    return system_failure("loading the program of the lease into the kernel", -error);
  slots_ = TRY(LeaseSlots::map(slots_fd()));
  return {};
}

// Finds the filters that an earlier vipd left attached. A failure means starting afresh.
void KernelLease::adopt() {
  const auto there = interfaces();
  if (!there) return;
  for (const auto index : *there) {
    const auto filter = ours(index, Hook::ingress);
    if (!filter || !*filter) continue;
    const auto maps = maps_of((*filter)->program);
    const auto addresses = maps.find("vipd_addresses");
    const auto slots = maps.find("vipd_slots");
    if (addresses == maps.end() || slots == maps.end()) continue;
    const auto& map = programs_->maps;
    if (!has_shape_of(addresses->second, map.vipd_addresses) || !has_shape_of(slots->second, map.vipd_slots))
      continue;
    adopted_ = bpf_map__reuse_fd(map.vipd_addresses, addresses->second.get()) == 0 &&
               bpf_map__reuse_fd(map.vipd_slots, slots->second.get()) == 0;
    return;
  }
}

// --- interfaces ---------------------------------------------------------------------------------------

// The filter in the place of vipd's own; EBUSY if it belongs to another program.
Result<std::optional<Filter>> KernelLease::ours(std::uint32_t interface_index, Hook hook) {
  for (auto& filter : TRY(filters(socket_, interface_index, hook))) {
    if (filter.priority != lease_priority || filter.handle != lease_handle) continue;
    if (filter.kind == "bpf" && filter.name == name_of(hook)) return std::optional(std::move(filter));
    return failure("a filter \"" + filter.name + "\" of another program has priority " +
                       std::to_string(lease_priority) + " and handle " + std::to_string(lease_handle),
                   EBUSY);
  }
  return std::optional<Filter>();
}

Result<std::set<std::uint32_t>> KernelLease::interfaces() {
  std::set<std::uint32_t> found;
  for (const auto& [index, kind] : TRY(filter_qdiscs(socket_))) {
    const auto filter = ours(index, Hook::ingress);
    if (filter && *filter) found.insert(index);
  }
  return found;
}

std::uint32_t KernelLease::number_of(Hook hook) const {
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  return bpf_obj_get_info_by_fd(program(hook), &info, &size) == 0 ? info.id : 0;
}

Result<bool> KernelLease::attach(std::uint32_t interface_index) {
  auto qdiscs = TRY(filter_qdiscs(socket_));
  if (!qdiscs.contains(interface_index)) {
    if (TRY(add_clsact(socket_, interface_index))) {
      const auto mark = qdisc_mark(interface_index);
      const std::uint32_t made = 1;
      (void)bpf_map_update_elem(addresses_fd(), &mark, &made, BPF_ANY);
    }
    qdiscs = TRY(filter_qdiscs(socket_));
  }
  bool changed = false;
  for (const auto hook : hooks) {
    // Outgoing packets cannot be filtered there; incoming packets matter most.
    if (hook == Hook::egress && qdiscs[interface_index] != "clsact") continue;
    const auto there = TRY(ours(interface_index, hook));
    if (there && there->program == number_of(hook)) continue;
    TRY_VOID(put_program(socket_, place(interface_index, hook), program(hook), name_of(hook)));
    changed = true;
  }
  return changed;
}

Result<> KernelLease::detach(std::uint32_t interface_index) {
  const auto mark = qdisc_mark(interface_index);
  const auto qdiscs = TRY(filter_qdiscs(socket_));
  const auto qdisc = qdiscs.find(interface_index);
  if (qdisc == qdiscs.end()) {
    (void)bpf_map_delete_elem(addresses_fd(), &mark);
    return {};
  }
  const bool both = qdisc->second == "clsact";
  bool used = !both;
  for (const auto hook : hooks) {
    if (hook == Hook::egress && !both) continue;
    if (TRY(ours(interface_index, hook))) TRY_VOID(remove_filter(socket_, place(interface_index, hook)));
    used = used || !TRY(filters(socket_, interface_index, hook)).empty();
  }
  const bool made = bpf_map_delete_elem(addresses_fd(), &mark) == 0;
  if (made && !used) return remove_clsact(socket_, interface_index);
  return {};
}

// --- addresses ----------------------------------------------------------------------------------------

Result<> KernelLease::guard(const Address& address, std::uint32_t slot) {
  const auto key = key_of(address);
  if (bpf_map_update_elem(addresses_fd(), &key, &slot, BPF_ANY) != 0)
    return system_failure("adding the lease of " + to_string(address.second));
  return {};
}

Result<> KernelLease::release(const Address& address) {
  const auto key = key_of(address);
  if (bpf_map_delete_elem(addresses_fd(), &key) != 0 && errno != ENOENT)
    return system_failure("removing the lease of " + to_string(address.second));
  return {};
}

Result<Lease::Addresses> KernelLease::guarded() {
  Addresses found;
  vipd_lease_address key{};
  const vipd_lease_address* previous = nullptr;
  vipd_lease_address last{};
  while (bpf_map_get_next_key(addresses_fd(), previous, &key) == 0) {
    std::uint32_t slot = 0;
    const auto address = address_of(key);
    if (address && bpf_map_lookup_elem(addresses_fd(), &key, &slot) == 0) found[*address] = slot;
    last = key;
    previous = &last;
  }
  if (errno != ENOENT) return system_failure("reading the addresses with a lease");
  return found;
}

}  // namespace

Result<std::unique_ptr<Lease>> open_lease() {
  return KernelLease::open();
}

}  // namespace vipd::netlink
