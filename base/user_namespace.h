// The user namespace that we are in: which users it knows.
#pragma once

#include <sys/types.h>

namespace vipd {

// False: this namespace has no such user; what belongs to users outside it appears as the overflow user,
// 65534.
bool is_mapped(uid_t user);

}  // namespace vipd
