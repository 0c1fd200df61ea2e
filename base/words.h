// The words of a user in our messages: quoted safely, and the word that was probably meant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vipd {

// User input for a message: in double quotes, on one line, ASCII, cut if it is long.
std::string quote(std::string_view text);

// The remedy "did you mean \"priority\"?" if a candidate is near enough, else empty.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// The candidate nearest to a misspelt word, within an edit distance of a third of its length.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// One character per code point, so that columns stay right: printable ASCII unchanged, a tab as a space, and
// everything else (umlauts, terminal escapes, broken UTF-8) as a question mark.
std::string to_ascii(std::string_view text);

std::string to_lower(std::string_view text);  // of ASCII letters

}  // namespace vipd
