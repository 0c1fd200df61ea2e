#include "checks/wording.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>

namespace vipd::checks {

std::string in_words(Duration duration) {
  const double ms = static_cast<double>(duration.count()) / 1e6;
  if (ms < 1) return fmt::format("{:.2f} ms", std::ceil(ms * 100) / 100);
  if (ms < 10) return fmt::format("{:.1f} ms", std::ceil(ms * 10) / 10);
  if (ms < 1000) return fmt::format("{:.0f} ms", std::ceil(ms));
  return fmt::format("{:.4g} s", std::ceil(ms) / 1000);
}

bool is_exhaustion(int code) {
  return code == EMFILE || code == ENFILE || code == ENOMEM || code == ENOBUFS;
}

}  // namespace vipd::checks
