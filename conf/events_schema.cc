#include "conf/events_schema.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "base/words.h"
#include "conf/yaml_writer.h"

namespace vipd::conf {

namespace {

struct Unit {
  std::string_view name;
  int shift;
};
constexpr std::array<Unit, 3> units{{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

std::string print_size(std::uint64_t size) {
  for (const auto& [name, shift] : units)
    if (size % (std::uint64_t{1} << shift) == 0) return fmt::format("{}{}", size >> shift, name);
  return std::to_string(size);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  for (const auto& [name, shift] : units) {
    if (!text.ends_with(name)) continue;
    text.remove_suffix(name.size());
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    constexpr std::uint64_t most = std::uint64_t{1} << 30;
    if (text.empty() || code != std::errc{} || end != text.data() + text.size() || number > most)
      return std::nullopt;
    return number << shift;
  }
  return std::nullopt;
}

std::uint64_t read_size(Reader& reader) {
  const events::Limits defaults;
  const auto text = reader.text("max_size");
  if (!text) return defaults.size;
  const auto size = parse_size(*text);
  if (!size)
    reader.error("max_size", fmt::format("max_size must be a size, not {}", quote(*text)),
                 "write a number with KiB, MiB or GiB, such as 64MiB");
  else if (*size < events::least_limits.size || *size > events::most_limits.size)
    reader.error("max_size",
                 fmt::format("max_size must be {} to {}, not {}", print_size(events::least_limits.size),
                             print_size(events::most_limits.size), *text));
  return size.value_or(defaults.size);
}

std::string read_directory(Reader& reader) {
  auto text = reader.text("directory").value_or("");
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  if (text.empty() || text.starts_with('/')) return text;
  reader.error("directory", fmt::format("directory must be an absolute path, not {}", quote(text)),
               "write a path such as /var/lib/vipd/events");
  return {};
}

}  // namespace

EventsSection read_events(Reader& top) {
  EventsSection events;
  const Node* const node = top.child("events");
  if (!node) return events;
  Reader reader(*node, top.diagnostics(), "events");
  events.directory = read_directory(reader);
  events.limits.size = read_size(reader);
  events.limits.age = reader.duration("max_age", events::least_limits.age, events::most_limits.age)
                          .value_or(events.limits.age);
  reader.finish();
  return events;
}

std::string print_events(const EventsSection& events) {
  std::string text = "events:\n";
  if (!events.directory.empty()) text += "  directory: " + yaml_scalar(events.directory) + "\n";
  text += "  max_size: " + print_size(events.limits.size) + "\n";
  return text + "  max_age: " + vipd::to_string(events.limits.age) + "\n";
}

}  // namespace vipd::conf
