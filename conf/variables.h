// Variables: ${NAME} in the values of a configuration. NAME is looked up in "vars:" first, then in the
// environment; ${NAME:-text} gives a default, $${ stands for a literal ${. ${NODE} is the name of the node.
//
// A value stays one value, whatever the variable contains: it is not parsed as YAML. Keys are not changed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/node.h"
#include "conf/surroundings.h"

namespace vipd::conf {

class Variables {
 public:
  Variables(const Surroundings& surroundings, Diagnostics& diagnostics)
      : surroundings_(surroundings), diagnostics_(diagnostics) {}

  // Reads the map under "vars:". A value may use the variables above it.
  void define(const Node& vars);
  // Substitutes the variables in every value of the tree.
  void replace(Node& node);
  void replace_text(std::string& text, const Place& place) { (void)try_to_replace(text, place); }

 private:
  // False if it fails, which has been reported.
  bool try_to_replace(std::string& text, const Place& place);
  bool is_broken(const std::string& name) const;
  void report_missing(const std::string& name, const Place& place);
  bool leads_to(const std::string& to, std::vector<std::string>& path) const;
  std::optional<std::string> value_of(const std::string& name) const;
  std::string remedy(const std::string& name) const;

  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::string> defined_;
  std::set<std::string> broken_;  // reported already
  bool all_broken_ = false;
  const Node* vars_ = nullptr;  // set while define() runs
  std::string defining_;        // the variable that it defines
};

}  // namespace vipd::conf
