#include "programs/common/child_main.h"

#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "programs/common/paths.h"

namespace vipd::programs {

std::optional<ChildStart> start_child(const char* name, int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("%s %s\n", name, VIPD_VERSION);
    std::exit(0);
  }
  Level level = Level::info;
  bool sandbox = true;
  bool understood = true;
  std::string events_directory;
  for (int i = 1; i < argc && understood; ++i) {
    if (std::strcmp(argv[i], "--no-sandbox") == 0)
      sandbox = false;
    else if (std::strcmp(argv[i], "--events-dir") == 0 && i + 1 < argc)
      events_directory = argv[++i];
    else if (std::strcmp(argv[i], "--log-level") == 0 && i + 1 < argc)
      understood = parse_level(argv[++i], level);
    else
      understood = false;
  }
  auto guardian = io::Channel::adopt(io::Fd(guardian_fd));
  if (!understood || !guardian) {
    std::fprintf(stderr, "%s is a part of vipd, which starts it: run vipd(8)\n", name);
    return std::nullopt;
  }
  // Keeps freed memory: the status of thousands of virtual routers needs it again, and getting it back page
  // by page takes longer than writing to it.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  return ChildStart{std::move(*guardian), io::Fd(hold_fd), level, sandbox, std::move(events_directory)};
}

}  // namespace vipd::programs
