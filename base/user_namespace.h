// The user namespace of this process, and the users that it maps.
#pragma once

#include <sys/types.h>

namespace vipd {

// False if this namespace has no such user; the files of such users seem to belong to user 65534.
bool is_mapped(uid_t user);

}  // namespace vipd
