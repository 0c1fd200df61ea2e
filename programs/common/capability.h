// Capability: what this process may do beyond an ordinary one (capabilities(7)).
#pragma once

namespace vipd::programs {

// Is the capability (CAP_...) in effect?
bool has_capability(int capability);

}  // namespace vipd::programs
