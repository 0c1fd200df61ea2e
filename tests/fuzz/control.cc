// The control socket, from both ends: what a client may send to vipd, and what vipctl makes of whatever
// answers it. The input is a stream of lines, and is tried as either.
#include <cassert>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/lines.h"
#include "ctl/answer.h"
#include "ctl/events.h"
#include "ctl/recording.h"
#include "ctl/show.h"
#include "ctl/upgrade.h"
#include "programs/monitor/control.h"
#include "programs/monitor/request.h"

using namespace vipd;

namespace {

bool is_one_line(const std::string& text) {
  return text.find_first_of(std::string_view("\n\r\0\033", 4)) == std::string::npos;
}

// Lines for a terminal: nothing in it moves the cursor or changes colours.
void assert_printable(const std::string& text) {
  for (const char each : text) assert(each == '\n' || static_cast<unsigned char>(each) >= 0x20);
}

void take_request(const std::string& line) {
  const auto request = programs::parse_request(line);
  if (!request) {
    assert(!request.error().message.empty());
    return;
  }
  assert(!request->command.empty() && is_one_line(request->text()));
  const nlohmann::json again{
      {"v", 1}, {"command", request->command}, {"router", request->router}, {"back", request->back}};
  const auto same = programs::parse_request(again.dump());
  assert(same && same->text() == request->text() && same->router == request->router);
}

void take_answer(const std::string& line) {
  const auto result = ctl::parse_reply(line);
  if (!result) {
    assert(!result.error().message.empty());
    assert_printable(ctl::printable(result.error().message, ctl::LineBreaks::stay));
    return;
  }
  assert_printable(ctl::status_text(*result, false));
  assert_printable(ctl::explanation_text(*result));
  assert_printable(ctl::text(ctl::upgrade_summary(*result, *result), "text"));
  assert_printable(ctl::text(*result, "text"));
  if (const auto recording = ctl::recording_text(ctl::text(*result, "recording")); !recording)
    assert(!recording.error().message.empty());
  assert(!result->dump(2).empty());  // --json
}

void take_event(const std::string& line) {
  const auto event = ctl::parse_event(line);
  if (!event.is_null()) assert_printable(ctl::event_line(event, false));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  Lines lines(programs::Control::longest_request);
  // In two pieces, as a socket may cut it.
  for (const auto piece : {stream.substr(0, size / 2), stream.substr(size / 2)}) {
    lines.append(piece);
    while (const auto line = lines.next()) {
      assert(line->find('\n') == std::string::npos);
      take_request(*line);
      take_answer(*line);
      take_event(*line);
    }
  }
  return 0;
}
