#include "vrrp/measurements.h"

namespace vipd::vrrp {

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::no_active: return "no_active";
    case Reason::owner: return "owner";
    case Reason::better: return "better";
    case Reason::farewell: return "farewell";
    case Reason::silence: return "silence";
    case Reason::false_claim: return "false_claim";
  }
  return "?";
}

}  // namespace vipd::vrrp
