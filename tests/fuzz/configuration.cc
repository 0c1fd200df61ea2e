// Fuzzes what a user writes: every text is either refused with an error or is a configuration that prints and
// loads as the same.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "conf/load.h"
#include "conf/print.h"

using namespace vipd;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = conf::load_text("fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size));
  loaded.diagnostics.render();
  assert(loaded.config.has_value() != loaded.diagnostics.has_errors());
  if (!loaded.config) return 0;
  const auto again = conf::load_text("printed.yaml", conf::print(*loaded.config));
  assert(again.config && *again.config == *loaded.config);
  return 0;
}
