// The building blocks of classic BPF programs (Documentation/networking/filter.rst). The kernel runs such a
// program for each packet of a socket, and drops the packets for which it returns 0.
#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace vipd::io {

constexpr std::uint32_t whole_packet = ~std::uint32_t{0};

constexpr sock_filter statement(unsigned code, std::uint32_t operand) {
  return {static_cast<std::uint16_t>(code), 0, 0, operand};
}

// Skips `if_true` or `if_false` instructions.
constexpr sock_filter jump(unsigned code, std::uint32_t operand, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), operand};
}

// The end of a program: passes packets whose byte, which is in A, is set in a bitmap of 256 bits. The
// bitmap's eight words become immediate operands, so the length does not depend on how many bits are set.
// Changes A, X and M[0].
void append_bitmap_lookup(std::vector<sock_filter>& program, const std::array<std::uint32_t, 8>& bitmap);

// Replaces the socket's filter, if any. Returns false, with errno, if the kernel refuses the new one.
bool attach_filter(int fd, std::span<const sock_filter> program);

}  // namespace vipd::io
