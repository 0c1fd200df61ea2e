#include "programs/common/capability.h"

#include <cap-ng.h>

namespace vipd::programs {

bool has_capability(int capability) {
  capng_get_caps_process();
  return capng_have_capability(CAPNG_EFFECTIVE, static_cast<unsigned>(capability)) != 0;
}

}  // namespace vipd::programs
