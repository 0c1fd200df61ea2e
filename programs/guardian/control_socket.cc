#include "programs/guardian/control_socket.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace vipd::programs {

std::optional<std::uint32_t> group_number(const char* name) {
  const group* entry = getgrnam(name);
  if (!entry) return std::nullopt;
  return entry->gr_gid;
}

Result<io::Fd> listen_for_control(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path)
    return failure(fmt::format(
        "the path of the control socket, {}, is longer than {} characters: choose a shorter --run-dir", path,
        sizeof address.sun_path - 1));
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  io::Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("opening the control socket");
  unlink(path.c_str());
  // A user namespace may not know the group: then only root can open the socket.
  const auto readers = group_number(asking_group);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0660) != 0 || listen(fd.get(), 256) != 0) {
    const int code = errno;
    return failure(fmt::format("cannot open the control socket {}: {}: set another --run-dir", path,
                               std::strerror(code)),
                   code);
  }
  if (readers) (void)!chown(path.c_str(), static_cast<uid_t>(-1), *readers);
  return fd;
}

}  // namespace vipd::programs
