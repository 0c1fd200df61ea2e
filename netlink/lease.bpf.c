// The kernel's part of the lease (netlink/lease.h): decides, for each packet from or to a virtual address on an
// interface that it is attached to, whether a vipd is still in charge of that address here. Attached to tc
// ingress and egress. It sends and asks nothing: a process of ours puts the end of the lease into memory.
//
//   no slot, or 0 in it    pass: not ours now
//   in the future          pass: we are in charge
//   in the past            whoever was in charge died or hangs. Drop what this host would answer itself: ARP,
//                          IPv4, IPv6 and Neighbor Solicitations for the address. And drop what it would still
//                          send from it: a connection's last packets and the ARP requests for them teach
//                          neighbours that the address is here.
//
// Everything else, and whatever it cannot read, passes untouched (TC_ACT_UNSPEC: the next filter's turn).
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "netlink/lease_layout.h"

#define AF_INET 2
#define AF_INET6 10

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, vipd_lease_addresses);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct vipd_lease_address);
  __type(value, __u32);
} vipd_addresses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, vipd_lease_slots);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct vipd_lease_slot);
} vipd_slots SEC(".maps");

// An ARP packet up to the sender's hardware address; its addresses have lengths of their own.
struct arp_start {
  __be16 hardware;
  __be16 protocol;
  __u8 hardware_length;
  __u8 protocol_length;
  __be16 operation;
};

// The fixed header of IPv6 and what a Neighbor Solicitation or Advertisement has behind it (RFC 4861).
struct neighbour_message {
  struct ipv6hdr ip;
  __u8 type;
  __u8 code;
  __be16 checksum;
  __be32 flags;
  struct in6_addr target;
};

enum { icmpv6 = 58, neighbour_solicitation = 135, neighbour_advertisement = 136, vlan_id = 0xfff };

// Would a packet to the address be delivered here, rather than forwarded to whoever has it now? A host that
// forwards nothing delivers or drops.
static __always_inline int is_local(struct __sk_buff *skb, const struct vipd_lease_address *address) {
  struct bpf_fib_lookup lookup = {.ifindex = skb->ifindex};
  if (address->family == 4) {
    lookup.family = AF_INET;
    __builtin_memcpy(&lookup.ipv4_dst, address->octets, 4);
  } else {
    lookup.family = AF_INET6;
    __builtin_memcpy(lookup.ipv6_dst, address->octets, 16);
  }
  const long result = bpf_fib_lookup(skb, &lookup, sizeof lookup, 0);
  return result < 0 || result == BPF_FIB_LKUP_RET_NOT_FWDED || result == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

static __always_inline int has_expired(struct __sk_buff *skb, const struct vipd_lease_address *address) {
  const __u32 *number = bpf_map_lookup_elem(&vipd_addresses, address);
  if (!number) return 0;
  struct vipd_lease_slot *slot = bpf_map_lookup_elem(&vipd_slots, number);
  if (!slot) return 0;
  const __u64 until = *(const volatile __u64 *)&slot->until;
  if (until == 0 || bpf_ktime_get_boot_ns() < until || !is_local(skb, address)) return 0;
  __sync_fetch_and_add(&slot->drops, 1);
  return 1;
}

// Reads behind the link layer's header, which not every interface has.
static __always_inline int read(struct __sk_buff *skb, __u32 offset, void *to, __u32 size) {
  return bpf_skb_load_bytes_relative(skb, offset, to, size, BPF_HDR_START_NET) == 0;
}

static __always_inline int judge_arp(struct __sk_buff *skb, struct vipd_lease_address *address, int incoming) {
  struct arp_start arp;
  if (!read(skb, 0, &arp, sizeof arp)) return TC_ACT_UNSPEC;
  if (arp.protocol != bpf_htons(ETH_P_IP) || arp.protocol_length != 4) return TC_ACT_UNSPEC;
  const __u32 sender = sizeof arp + arp.hardware_length;
  const __u32 target = sender + 4 + arp.hardware_length;
  address->family = 4;
  if (!read(skb, incoming ? target : sender, address->octets, 4)) return TC_ACT_UNSPEC;
  return has_expired(skb, address) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline int judge_ipv4(struct __sk_buff *skb, struct vipd_lease_address *address, int incoming) {
  const __u32 offset = incoming ? offsetof(struct iphdr, daddr) : offsetof(struct iphdr, saddr);
  address->family = 4;
  if (!read(skb, offset, address->octets, 4)) return TC_ACT_UNSPEC;
  return has_expired(skb, address) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

// A solicitation is sent to a multicast group, or to any address of ours: what counts is the target. So it is
// with an advertisement that leaves: it may come from another address.
static __always_inline int judge_ipv6(struct __sk_buff *skb, struct vipd_lease_address *address, int incoming) {
  struct neighbour_message message;
  if (!read(skb, 0, &message.ip, sizeof message.ip)) return TC_ACT_UNSPEC;
  address->family = 6;
  __builtin_memcpy(address->octets, incoming ? &message.ip.daddr : &message.ip.saddr, 16);
  if (has_expired(skb, address)) return TC_ACT_SHOT;
  if (message.ip.nexthdr != icmpv6 || !read(skb, 0, &message, sizeof message)) return TC_ACT_UNSPEC;
  if (message.type != (incoming ? neighbour_solicitation : neighbour_advertisement)) return TC_ACT_UNSPEC;
  __builtin_memcpy(address->octets, &message.target, 16);
  return has_expired(skb, address) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

static __always_inline int judge(struct __sk_buff *skb, int incoming) {
  // Of another network: its VLAN interface is where it is looked at.
  if (skb->vlan_present && (skb->vlan_tci & vlan_id) != 0) return TC_ACT_UNSPEC;
  struct vipd_lease_address address = {.ifindex = skb->ifindex};
  switch (skb->protocol) {
    case bpf_htons(ETH_P_ARP): return judge_arp(skb, &address, incoming);
    case bpf_htons(ETH_P_IP): return judge_ipv4(skb, &address, incoming);
    case bpf_htons(ETH_P_IPV6): return judge_ipv6(skb, &address, incoming);
    default: return TC_ACT_UNSPEC;
  }
}

SEC("tc")
int vipd_lease_in(struct __sk_buff *skb) {
  return judge(skb, 1);
}

SEC("tc")
int vipd_lease_out(struct __sk_buff *skb) {
  return judge(skb, 0);
}

char vipd_license[] SEC("license") = "GPL";
