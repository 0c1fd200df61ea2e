// Address: an IP address and a port, as sockets want them.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include <fmt/format.h>

#include "tests/lab/probe/output.h"

namespace lab_probe {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  bool is_ipv4() const { return storage.ss_family == AF_INET; }
  const in_addr& ipv4() const { return reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr; }
  const in6_addr& ipv6() const { return reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr; }

  static Address parse(const std::string& text, std::uint16_t port = 0) {
    Address address;
    auto* four = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) == 1) {
      four->sin_family = AF_INET;
      four->sin_port = htons(port);
      address.size = sizeof *four;
    } else if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) == 1) {
      six->sin6_family = AF_INET6;
      six->sin6_port = htons(port);
      address.size = sizeof *six;
    } else {
      usage(fmt::format("\"{}\" is no address", text));
    }
    return address;
  }
};

}  // namespace lab_probe
