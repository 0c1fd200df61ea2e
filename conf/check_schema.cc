#include "conf/check_schema.h"

#include <fmt/format.h>

#include "checks/settings/check_settings.h"
#include "conf/words.h"

namespace vipd::conf {

std::vector<checks::CheckConfig> CheckSchema::read(Reader& reader, const std::string& owner,
                                                   vrrp::Priority priority) {
  std::vector<checks::CheckConfig> checks;
  const Node* const node = reader.child("checks");
  if (!node) return checks;
  for_entries(*node, diagnostics_, "checks of " + reader.what(), "check",
              [&](const std::string& name, Place name_place, const Node& value) {
                const auto full_name = owner + "/" + name;
                claim(full_name, reader.what(), name_place);
                Reader check_reader(value, diagnostics_, "check " + full_name);
                if (refuse_check_words(check_reader)) return;
                checks.push_back(checks::read_check(check_reader, full_name));
                warn_about_owners_check(check_reader, checks.back(), priority);
              });
  return checks;
}

void CheckSchema::claim(const std::string& full_name, const std::string& owner, Place place) {
  const auto [first, is_new] = claims_.try_emplace(full_name, Claim{owner, place});
  if (is_new) return;
  diagnostics_.error(place,
                     fmt::format("check {} already exists in {} ({})", full_name, first->second.owner,
                                 diagnostics_.where(first->second.place, place)),
                     "rename one of them, or the virtual server");
}

void CheckSchema::warn_about_owners_check(Reader& reader, const checks::CheckConfig& check,
                                          vrrp::Priority priority) {
  if (priority != vrrp::owner_priority || check.on_failure.initialize) return;
  const auto* const on_failure = reader.node().find("on_failure");
  diagnostics_.warning(
      on_failure ? on_failure->place : reader.node().place,
      fmt::format("{} has no effect: priority 255 marks the address owner and never changes", reader.what()),
      "write on_failure: initialize, or give the virtual router a priority below 255");
}

}  // namespace vipd::conf
