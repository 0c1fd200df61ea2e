// The part of the schema for checks of virtual routers and virtual servers.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "checks/settings/check.h"
#include "conf/entries.h"
#include "conf/yaml.h"
#include "vrrp/parameters.h"

namespace vipd::conf {

class CheckSchema {
 public:
  explicit CheckSchema(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  // Reads the key "checks" of the entry `owner`. priority: of the virtual router that the checks move.
  std::vector<checks::CheckConfig> read(Reader& reader, const std::string& owner, vrrp::Priority priority);

 private:
  void claim(const std::string& full_name, const std::string& owner, Place place);
  void warn_about_owners_check(Reader& reader, const checks::CheckConfig& check, vrrp::Priority priority);

  Diagnostics& diagnostics_;
  std::map<std::string, Claim> claims_;  // by full name
};

}  // namespace vipd::conf
