// The lease where vipd is built without it: see netlink/lease.h and CMakeLists.txt.
#include "netlink/lease.h"

namespace vipd::netlink {

Result<std::unique_ptr<Lease>> open_lease() {
  return failure("this vipd was built without it (clang, bpftool and libbpf were missing)", ENOSYS);
}

}  // namespace vipd::netlink
