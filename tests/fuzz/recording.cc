// Recordings: texts from anywhere, which vipctl replays, and bytes of a vipd-router, perhaps of another
// version, of which vipctl makes such a text.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "record/recorder.h"
#include "record/replay.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vipd::record;
  if (const auto recording = parse({reinterpret_cast<const char*>(data), size})) {
    to_text(replay(*recording));
    const auto text = to_text(*recording);
    const auto again = parse(text);
    assert(again && to_text(*again) == text);
  } else {
    assert(!recording.error().message.empty());
  }
  if (const auto recording = decode({data, size}))
    assert(is_recording(to_text(*recording)));
  else
    assert(!recording.error().message.empty());
  return 0;
}
