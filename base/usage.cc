#include "base/usage.h"

#include <fmt/format.h>

#include "base/words.h"

namespace vipd {

std::string describe(const Misuse& misuse, const std::string& program) {
  const auto said = [&](const std::string& what, const char* listed) {
    return fmt::format("{}; {} --help lists {}", what, program, listed);
  };
  if (!misuse.unknown.empty()) {
    const auto& first = misuse.unknown.front();
    return first.starts_with('-') ? said("there is no option " + quote(first), "them")
                                  : said("unexpected argument " + quote(first), "the arguments");
  }
  if (misuse.kind == "ArgumentMismatch")
    return said(misuse.what.substr(0, misuse.what.find(':')) + " needs a value", "the options");
  if (misuse.kind == "RequiredError")
    return said(misuse.what.substr(0, misuse.what.find(' ')) + " is missing", "the arguments");
  return said(misuse.what, "the options");
}

}  // namespace vipd
