// Replaces netlink/lease.cc if vipd is built without the lease: see netlink/lease.h and CMakeLists.txt.
#include "netlink/lease.h"

namespace vipd::netlink {

Result<std::unique_ptr<Lease>> open_lease() {
  return failure("this vipd was built without the lease (clang, bpftool or libbpf was missing)", ENOSYS);
}

}  // namespace vipd::netlink
