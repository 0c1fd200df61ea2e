#include "conf/source_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "conf/yaml.h"

namespace vipd::conf {

namespace {
// The length of the UTF-8 sequence at the start of the bytes, 0 if there is none (RFC 3629 section 4).
std::size_t utf8_length(std::string_view bytes) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto first = octet(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((octet(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && octet(1) < 0xa0) || (first == 0xf0 && octet(1) < 0x90);
  const bool surrogate = first == 0xed && octet(1) > 0x9f;
  const bool beyond_unicode = first == 0xf4 && octet(1) > 0x8f;
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

bool is_forbidden_control(std::string_view rest) {
  const auto octet = static_cast<unsigned char>(rest[0]);
  if (octet == '\r') return !rest.starts_with("\r\n");
  return (octet < 0x20 && octet != '\t' && octet != '\n') || octet == 0x7f;
}

bool check_characters(const SourceText& source, Diagnostics& diagnostics) {
  const auto text = source.text();
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text.substr(i));
    if (length == 0) {
      diagnostics.error(source.place(i),
                        fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text[i])),
                        "save the file as UTF-8");
      return false;
    }
    if (is_forbidden_control(text.substr(i))) {
      diagnostics.error(source.place(i),
                        fmt::format("control character 0x{:02x}", static_cast<unsigned char>(text[i])),
                        "remove it, or write it as an escape sequence in double quotes");
      return false;
    }
    i += length;
  }
  return true;
}

// Users of keepalived may try its configuration first.
bool check_language(const SourceText& source, Diagnostics& diagnostics) {
  constexpr std::array<std::string_view, 5> blocks{"global_defs", "vrrp_instance", "vrrp_script",
                                                   "vrrp_sync_group", "virtual_server"};
  const auto text = source.text();
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = text.substr(start, end - start);
    const auto word = line.substr(0, line.find_first_of(" \t{"));
    const bool opens = line.find('{') != std::string_view::npos && line.find(':') == std::string_view::npos;
    if (opens && std::find(blocks.begin(), blocks.end(), word) != blocks.end()) {
      diagnostics.error(source.place(start), "this is a keepalived configuration; vipd reads YAML",
                        "see FOR KEEPALIVED USERS in vipd(8), and the examples in vipd.yaml(5)");
      return false;
    }
    start = end + 1;
  }
  return true;
}

// YAML forbids tabs in the indentation, and yaml-cpp's message about them is no help.
bool check_lines(const SourceText& source, Diagnostics& diagnostics) {
  const auto text = source.text();
  bool good = true;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = text.substr(start, end - start);
    if (line.size() > longest_line) {
      diagnostics.error(source.place(start), fmt::format("this line is longer than {} bytes", longest_line));
      good = false;
    }
    const auto content = line.find_first_not_of(" \t\r");
    const auto tab = line.find('\t');
    const bool says_something = content != std::string_view::npos && line[content] != '#';
    if (says_something && tab < content) {
      diagnostics.error(source.place(start + tab), "tab in the indentation", "indent with spaces");
      good = false;
    }
    start = end + 1;
  }
  return good;
}
}  // namespace

bool is_readable(const SourceText& source, Diagnostics& diagnostics) {
  return check_characters(source, diagnostics) && check_language(source, diagnostics) &&
         check_lines(source, diagnostics);
}

}  // namespace vipd::conf
