// What classic BPF programs are written with (Documentation/networking/filter.rst): the kernel runs them for
// each packet of a socket, and drops what they return 0 for.
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

// Skips so many instructions.
constexpr sock_filter jump(unsigned code, std::uint32_t operand, std::size_t if_true, std::size_t if_false) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(if_true),
          static_cast<std::uint8_t>(if_false), operand};
}

// The end of a program: lets pass what has its byte, which is in A, in a bitmap of 256 bits, whose eight
// words become immediate operands: always the same length, however many bits are set. Changes A, X and M[0].
void append_bitmap_lookup(std::vector<sock_filter>& program, const std::array<std::uint32_t, 8>& bitmap);

// Replaces the one that is there. Returns false, with errno, if the kernel refuses it.
bool attach_filter(int fd, std::span<const sock_filter> program);

}  // namespace vipd::io
