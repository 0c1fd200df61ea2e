// Base64 (RFC 4648 section 4): bytes in a JSON string, and back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vipd {

std::string to_base64(std::span<const std::uint8_t> bytes);

// Nothing if the text is anything but what to_base64 makes.
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

}  // namespace vipd
