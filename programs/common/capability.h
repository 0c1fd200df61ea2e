// Capability: whether this process has privileges beyond those of an ordinary one (capabilities(7)).
#pragma once

namespace vipd::programs {

// Whether the capability (CAP_...) is in effect.
bool has_capability(int capability);

}  // namespace vipd::programs
