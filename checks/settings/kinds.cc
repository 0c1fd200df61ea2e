// The kinds of health check, one line each. The runner of each kind has a line in checks/runners/runners.cc.
#include <array>

#include "checks/settings/check.h"
#include "checks/settings/http_settings.h"
#include "checks/settings/script_settings.h"
#include "checks/settings/tcp_settings.h"

namespace vipd::checks {

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

}  // namespace vipd::checks
