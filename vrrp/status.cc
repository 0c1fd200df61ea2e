#include "vrrp/status.h"

namespace vipd::vrrp {

std::string_view to_string(StateName state) {
  switch (state) {
    case StateName::initialize: return "Initialize";
    case StateName::backup: return "Backup";
    case StateName::active: return "Active";
  }
  return "?";
}

}  // namespace vipd::vrrp
