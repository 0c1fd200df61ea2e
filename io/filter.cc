#include "io/filter.h"

#include <sys/socket.h>

namespace vipd::io {

void append_bitmap_lookup(std::vector<sock_filter>& program, const std::array<std::uint32_t, 8>& bitmap) {
  const auto add = [&](auto... each) { (program.push_back(each), ...); };
  // A = the word, X = the byte.
  add(statement(BPF_MISC | BPF_TAX, 0), statement(BPF_ALU | BPF_RSH | BPF_K, 5));
  for (std::uint32_t word = 0; word < 8; ++word)
    add(jump(BPF_JMP | BPF_JEQ | BPF_K, word, 0, 2), statement(BPF_LD | BPF_W | BPF_IMM, bitmap[word]),
        statement(BPF_JMP | BPF_JA, 3 * (7 - word)));
  // X = byte % 32, A = word >> X & 1.
  add(statement(BPF_ST, 0), statement(BPF_MISC | BPF_TXA, 0), statement(BPF_ALU | BPF_AND | BPF_K, 31),
      statement(BPF_MISC | BPF_TAX, 0), statement(BPF_LD | BPF_W | BPF_MEM, 0),
      statement(BPF_ALU | BPF_RSH | BPF_X, 0), jump(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0),
      statement(BPF_RET | BPF_K, 0), statement(BPF_RET | BPF_K, whole_packet));
}

bool attach_filter(int fd, std::span<const sock_filter> program) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0;
}

}  // namespace vipd::io
