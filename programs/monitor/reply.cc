#include "programs/monitor/reply.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "programs/monitor/request.h"

namespace vipd::programs {

namespace {
using nlohmann::json;
}

std::string good(json result) {
  return json{{"v", protocol_version}, {"ok", true}, {"result", std::move(result)}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

std::string good_text(const std::string& result) {
  std::string reply = fmt::format(R"({{"v":{},"ok":true,"result":)", protocol_version);
  reply.reserve(reply.size() + result.size() + 1);
  reply += result;
  reply += '}';
  return reply;
}

std::string bad(const std::string& error) {
  return json{{"v", protocol_version}, {"ok", false}, {"error", error}}.dump(-1, ' ', false,
                                                                             json::error_handler_t::replace);
}

std::string not_permitted() {
  return json{{"v", protocol_version},
              {"ok", false},
              {"permitted", false},
              {"error", "permission denied: requires root or group vipd-admin"}}
      .dump();
}

}  // namespace vipd::programs
