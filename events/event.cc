#include "events/event.h"

#include <cassert>

namespace vipd::events {

Event make_event(std::string_view name, std::string text, bool relieved) {
  const auto* const kind = find_kind(name);
  assert(kind != nullptr);
  Event event;
  event.name = name;
  event.severity = relieved ? kind->relieved : kind->severity;
  event.text = std::move(text);
  return event;
}

}  // namespace vipd::events
