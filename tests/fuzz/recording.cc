// Recordings: texts from anywhere, which vipctl replays, and bytes of a vipd-router, perhaps of another
// version.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "record/recorder.h"
#include "record/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vipd::record;
  if (const auto recording = parse({reinterpret_cast<const char*>(data), size})) {
    (void)replay(*recording);
    if (!parse(to_text(*recording))) __builtin_trap();
  }
  (void)decode({data, size});
  return 0;
}
