// The memory that the lease's program in the kernel (lease.bpf.c) shares with vipd: the same layout in C and
// C++, on 32 and 64 bits. A later version of vipd adopts the maps of this one while they are in use, as long
// as names and sizes are the same: if you change a struct here, rename its map.
#pragma once

#include <linux/types.h>

// A virtual address and the interface on which it is guarded: the key of the map vipd_addresses. Its value is
// the number of a slot.
struct vipd_lease_address {
  __u32 ifindex;
  __u32
      family;  // 4 or 6; 0 and no octets: not an address, but the mark that the clsact qdisc is of our making
  __u8 octets[16];  // as on the wire; an IPv4 address has four, and zeros
};

// The lease of one virtual router: an element of the map vipd_slots, which processes map into their memory.
struct vipd_lease_slot {
  __u64 until;  // CLOCK_BOOTTIME in nanoseconds; 0: there is no lease, everything passes
  __u64 drops;  // counted in the kernel
};

enum {
  vipd_lease_addresses = 16384,
  vipd_lease_slots = 4096,
};
