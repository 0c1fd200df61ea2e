// Fuzzes what a user writes: every text is either refused with an error or is a configuration that prints and
// loads as the same.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>

#include "conf/load.h"
#include "conf/print.h"

using namespace vipd;

namespace {
// One more file is there, and each variable whose name begins with an A.
const conf::Surroundings around{
    .read = [](const std::string& path) -> Result<conf::FileText> {
      if (path != "more.yaml") return failure("reading " + path + ": No such file or directory");
      return conf::FileText{"virtual_servers: {}\n", false};
    },
    .match = [](const std::string& pattern) { return std::vector<std::string>{pattern}; },
    .environment = [](const std::string& name) -> std::optional<std::string> {
      if (name.front() != 'A') return std::nullopt;
      return "192.0.2.1";
    },
    .node = "a"};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded =
      conf::load_text("fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size), around);
  loaded.diagnostics.render();
  assert(loaded.config.has_value() != loaded.diagnostics.has_errors());
  if (!loaded.config) return 0;
  const auto again = conf::load_printed("printed.yaml", conf::print(*loaded.config));
  assert(again.config && *again.config == *loaded.config);
  return 0;
}
