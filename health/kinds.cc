// The kinds of health check, one line each. The runner of each kind has a line in health/runners.cc.
#include <array>

#include "health/check.h"
#include "health/http_settings.h"
#include "health/script_settings.h"
#include "health/tcp_settings.h"

namespace vipd::health {

namespace {
constexpr std::array kinds{
    Kind{"http", read_http},
    Kind{"tcp", read_tcp},
    Kind{"script", read_script},
};
}  // namespace

const Kind* find_kind(std::string_view name) {
  for (const auto& kind : kinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  return names;
}

}  // namespace vipd::health
