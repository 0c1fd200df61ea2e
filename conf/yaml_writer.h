// Writing YAML that conf/yaml reads back as the same nodes. Not yaml-cpp's emitter, which cannot put what is short on one
// line and what is long on several, as people write it.
#pragma once

#include <string>
#include <string_view>

#include "base/node.h"

namespace vipd::conf {

// The scalar in the form that is read back as the same text: quoted where YAML would read something else.
std::string yaml_scalar(const Node& scalar);
std::string yaml_scalar(std::string_view text);

// The keys of the map and everything below them, each line indented by that many spaces; ends with a line
// break. Short nested lists and maps take one line.
std::string yaml_map(const Node& map, int indentation);

}  // namespace vipd::conf
