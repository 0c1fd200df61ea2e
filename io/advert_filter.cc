#include "io/advert_filter.h"

#include <netinet/in.h>

#include <array>
#include <cstring>

#include "io/advert_sender.h"
#include "io/filter.h"

namespace vipd::io {

// X is where the VRRP header begins.
std::vector<sock_filter> vrid_filter(Family family, std::span<const std::uint8_t> vrids) {
  std::array<std::uint32_t, 8> bitmap{};
  for (const auto vrid : vrids) bitmap[vrid / 32] |= std::uint32_t{1} << (vrid % 32);

  const auto accept = statement(BPF_RET | BPF_K, whole_packet);
  std::vector<sock_filter> program;
  const auto add = [&](auto... each) { (program.push_back(each), ...); };

  if (family == Family::ipv4)
    add(statement(BPF_LDX | BPF_B | BPF_MSH, 0));  // X = 4 * IHL
  else
    add(statement(BPF_LDX | BPF_W | BPF_IMM, 0));
  // Accept packets shorter than a VRRP header, 8 bytes. (The kernel ensures X <= length.)
  add(statement(BPF_LD | BPF_W | BPF_LEN, 0), statement(BPF_ALU | BPF_SUB | BPF_X, 0),
      jump(BPF_JMP | BPF_JGE | BPF_K, 8, 1, 0), accept);
  // Accept packets that are not an advertisement of version 2 or 3.
  add(statement(BPF_LD | BPF_B | BPF_IND, 0), jump(BPF_JMP | BPF_JEQ | BPF_K, 0x31, 2, 0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, 0x21, 1, 0), accept);
  add(statement(BPF_LD | BPF_B | BPF_IND, 1));
  append_bitmap_lookup(program, bitmap);
  return program;
}

std::vector<sock_filter> shield_filter(Family family, const Shield& shield) {
  const bool ipv4 = family == Family::ipv4;
  // The filter of an IPv6 socket sees only the message; the IPv6 header precedes it.
  const std::uint32_t header = ipv4 ? 0 : static_cast<std::uint32_t>(SKF_NET_OFF);
  std::vector<sock_filter> program;
  std::vector<std::size_t> demands;  // conditions that jump to the sample if they fail
  const auto add = [&](auto... each) { (program.push_back(each), ...); };
  const auto demand = [&](unsigned comparison, std::uint32_t operand) {
    demands.push_back(program.size());
    add(jump(BPF_JMP | comparison | BPF_K, operand, 0, 0));
  };
  const auto load_start = [&] {
    if (ipv4)
      add(statement(BPF_LDX | BPF_B | BPF_MSH, 0));
    else
      add(statement(BPF_LDX | BPF_W | BPF_IMM, 0));
  };

  add(statement(BPF_LD | BPF_B | BPF_ABS, header + (ipv4 ? 8 : 7)));
  demand(BPF_JEQ, advert_hop_limit);
  const auto group = advert_group(family);
  for (std::uint32_t i = 0; i < group.size(); i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, group.octets.data() + i, sizeof word);
    add(statement(BPF_LD | BPF_W | BPF_ABS, header + (ipv4 ? 16 : 24) + i));
    demand(BPF_JEQ, ntohl(word));
  }
  // M[0]: the length of the message.
  load_start();
  add(statement(BPF_LD | BPF_W | BPF_LEN, 0), statement(BPF_ALU | BPF_SUB | BPF_X, 0), statement(BPF_ST, 0));
  demand(BPF_JGE, ipv4 ? 12 : 24);
  add(statement(BPF_LD | BPF_B | BPF_IND, 0));
  demand(BPF_JEQ, 0x31);
  add(statement(BPF_LD | BPF_H | BPF_IND, 4));
  demand(BPF_JSET, 0x0fff);  // the interval
  add(statement(BPF_LD | BPF_B | BPF_IND, 2));
  const auto by_priority = program.size();
  add(jump(BPF_JMP | BPF_JGE | BPF_K, shield.least_priority, 0, 0));
  // Low priority: accept it from a known sender, sample the others.
  std::vector<std::size_t> matches;
  for (const auto& sender : shield.known) {
    std::vector<std::size_t> mismatches;
    for (std::uint32_t i = 0; i < sender.size(); i += 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, sender.octets.data() + i, sizeof word);
      add(statement(BPF_LD | BPF_W | BPF_ABS, header + (ipv4 ? 12 : 8) + i));
      mismatches.push_back(program.size());
      add(jump(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0, 0));
    }
    matches.push_back(program.size());
    add(statement(BPF_JMP | BPF_JA, 0));
    for (const auto at : mismatches) program[at].jf = static_cast<std::uint8_t>(program.size() - at - 1);
  }
  const auto unknown = program.size();
  add(statement(BPF_JMP | BPF_JA, 0));
  for (const auto at : matches) program[at].k = static_cast<std::uint32_t>(program.size() - at - 1);
  program[by_priority].jt = static_cast<std::uint8_t>(program.size() - by_priority - 1);
  add(statement(BPF_LD | BPF_B | BPF_IND, 3));
  demand(BPF_JGE, 1);
  // Compare A, the length that the address count requires, with M[0].
  add(statement(BPF_ALU | BPF_LSH | BPF_K, ipv4 ? 2 : 4), statement(BPF_ALU | BPF_ADD | BPF_K, 8),
      statement(BPF_MISC | BPF_TAX, 0), statement(BPF_LD | BPF_W | BPF_MEM, 0));
  demands.push_back(program.size());
  add(jump(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 0));

  add(statement(BPF_JMP | BPF_JA, 4));
  const auto sample = program.size();
  add(statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
      statement(BPF_ALU | BPF_AND | BPF_K, 1023), jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      statement(BPF_RET | BPF_K, 0));
  program[unknown].k = static_cast<std::uint32_t>(sample - unknown - 1);
  for (const auto at : demands) program[at].jf = static_cast<std::uint8_t>(sample - at - 1);
  return program;
}

}  // namespace vipd::io
