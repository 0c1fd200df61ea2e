// Base64 (RFC 4648 section 4): encodes bytes for a JSON string and decodes them. Our own 40 lines, because vipctl links no
// library that has it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd {

std::string to_base64(std::span<const std::uint8_t> bytes);

// Returns nothing unless the text is exactly what to_base64 produces.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

}  // namespace vipd
