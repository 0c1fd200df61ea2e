#include "vrrp/resource.h"

#include <tuple>

namespace vipd::vrrp {

namespace {
auto identity(const VirtualAddress& address) {
  return std::tie(address.interface, address.prefix);
}
}  // namespace

bool ByIdentity::operator()(const Resource& a, const Resource& b) const {
  if (a.index() != b.index()) return a.index() < b.index();
  return std::visit(
      [&b](const auto& one) { return identity(one) < identity(std::get<std::decay_t<decltype(one)>>(b)); },
      a);
}

std::string to_string(const Resource& resource) {
  return std::visit([](const VirtualAddress& address) { return vipd::to_string(address.prefix); }, resource);
}

}  // namespace vipd::vrrp
