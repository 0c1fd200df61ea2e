#include "programs/monitor/json_text.h"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace vipd {

namespace {
// Without a branch per character, because this is most of the work.
bool is_plain(std::string_view text) {
  bool plain = true;
  for (const char each : text)
    plain = plain & (each >= 0x20) & (each < 0x7f) & (each != '"') & (each != '\\');
  return plain;
}
}  // namespace

void JsonText::write(std::string_view each) {
  if (!is_plain(each))
    return put(nlohmann::json(each).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  put('"');
  put(each);
  put('"');
}

void JsonText::write(double each) {
  put(fmt::format("{}", each));
}

void JsonText::write(InMilliseconds each) {
  constexpr std::uint64_t a_millisecond = 1'000'000;
  auto rest = static_cast<std::uint64_t>(each.time.count());
  if (each.time < Duration::zero()) {
    put('-');
    rest = 0 - rest;
  }
  write(rest / a_millisecond);
  rest %= a_millisecond;
  if (rest == 0) return;
  put('.');
  for (auto digit = a_millisecond / 10; rest > 0; digit /= 10) {
    put(static_cast<char>('0' + rest / digit));
    rest %= digit;
  }
}

}  // namespace vipd
