#include "ctl/recording.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/base64.h"
#include "record/recorder.h"
#include "record/replay.h"

namespace vipd::ctl {

namespace {
constexpr std::size_t longest_recording = 256 << 20;  // a hundred times the memory of the recorder

Result<std::string> read(std::istream& stream, const std::string& name) {
  std::string text;
  std::array<char, 65536> part;
  while (stream.read(part.data(), part.size()), stream.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > longest_recording) return failure(name + " is too long for a recording", EFBIG);
  }
  if (stream.bad()) return system_failure("reading " + name, EIO);
  return text;
}

Result<std::string> read(const std::string& file) {
  if (file == "-") return read(std::cin, "standard input");
  std::ifstream stream(file);
  if (!stream) return system_failure("reading " + file);
  return read(stream, file);
}
}  // namespace

Result<std::string> recording_text(const std::string& reply) {
  const auto contents = from_base64(reply);
  if (!contents)
    return failure("the answer of vipd is not a recording: use the vipctl that belongs to the running vipd",
                   EPROTO);
  const auto recording = TRY(record::decode(*contents));
  return record::to_text(recording);
}

int replay(const std::string& file, bool json, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const std::string& place, const std::string& message, int code) {
    if (json)
      out << nlohmann::json{{"error", place + message}}.dump(-1, ' ', false,
                                                             nlohmann::json::error_handler_t::replace)
          << "\n";
    else
      err << (place.empty() ? "vipctl: " : place) << message << "\n";
    return code;
  };
  const auto text = read(file);
  if (!text) return fail({}, text.error().message, replay_unreadable);
  const auto recording = record::parse(*text);
  if (!recording) return fail(file + ": ", recording.error().message, replay_bad);
  const auto happenings = record::replay(*recording);
  if (!json) {
    out << record::to_text(happenings);
    return replay_ok;
  }
  auto list = nlohmann::json::array();
  for (const auto& each : happenings)
    list.push_back({{"time_s", std::chrono::duration<double>(each.when).count()},
                    {"router", each.who},
                    {"text", each.text}});
  out << list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  return replay_ok;
}

}  // namespace vipd::ctl
