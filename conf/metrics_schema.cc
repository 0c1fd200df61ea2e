#include "conf/metrics_schema.h"

#include <fmt/format.h>

#include "base/words.h"
#include "conf/address_rules.h"
#include "conf/yaml_writer.h"

namespace vipd::conf {

MetricsSection read_metrics(Reader& top) {
  MetricsSection metrics;
  const Node* const node = top.child("metrics");
  if (!node) return metrics;
  Reader reader(*node, top.diagnostics(), "metrics");
  if (const auto listen = reader.text("listen")) {
    const bool is_path = listen->starts_with('/') && listen->size() > 1;
    if (*listen == "off")
      metrics.listen.clear();
    else if (is_path || parse_listener(*listen))
      metrics.listen = *listen;
    else
      reader.error(
          "listen",
          fmt::format("listen must be an address with a port, a path or off, not {}", quote(*listen)),
          "write 127.0.0.1:9650, or the path of a Unix socket");
  }
  reader.finish();
  return metrics;
}

std::string print_metrics(const MetricsSection& metrics) {
  return fmt::format("metrics:\n  listen: {}\n",
                     metrics.listen.empty() ? "off" : yaml_scalar(metrics.listen));
}

}  // namespace vipd::conf
