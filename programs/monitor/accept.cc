#include "programs/monitor/accept.h"

#include "base/words.h"

namespace vipd::programs {

Format accepted_format(std::string_view accept) {
  const auto header = to_lower(accept);
  const auto open_metrics = header.find("application/openmetrics-text");
  const auto text = header.find("text/plain");  // npos, the largest position, if it is not named
  return open_metrics < text ? Format::open_metrics : Format::prometheus;
}

}  // namespace vipd::programs
