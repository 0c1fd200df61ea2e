// Writing YAML that conf/yaml reads back as the same nodes.
#pragma once

#include <string>
#include <string_view>

#include "base/document.h"

namespace vipd::conf {

// A scalar as it must be written to be read back as the same text: quoted where YAML would take it for
// something else.
std::string yaml_scalar(const Node& scalar);
std::string yaml_scalar(std::string_view text);

// The map's keys and what is below them, each line indented by so many spaces; ends with a line break. Short
// lists and maps inside stand in one line.
std::string yaml_map(const Node& map, int indentation);

}  // namespace vipd::conf
