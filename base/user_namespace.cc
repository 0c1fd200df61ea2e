#include "base/user_namespace.h"

#include <cstdint>
#include <fstream>

namespace vipd {

bool is_mapped(uid_t user) {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  while (map >> inside >> outside >> count)
    if (user >= inside && user - inside < count) return true;
  return false;
}

}  // namespace vipd
