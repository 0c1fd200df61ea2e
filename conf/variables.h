// Variables: ${NAME} in the values of a configuration. NAME comes from "vars:", else from the environment;
// ${NAME:-text} says what it is where there is none, $${ stands for ${ itself. ${NODE} is the node's name.
//
// A value stays one value, whatever the variable holds: nothing in it is read as YAML. Keys are left as they
// are.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/document.h"
#include "conf/surroundings.h"

namespace vipd::conf {

class Variables {
 public:
  Variables(const Surroundings& surroundings, Diagnostics& diagnostics)
      : surroundings_(surroundings), diagnostics_(diagnostics) {}

  // The map under "vars:"; a value may use those above it.
  void define(const Node& vars);
  // In every value of the tree.
  void replace(Node& node);
  void replace_text(std::string& text, const Place& place) { (void)try_to_replace(text, place); }

 private:
  // False: it cannot be done, which has been told.
  bool try_to_replace(std::string& text, const Place& place);
  bool is_broken(const std::string& name) const;
  void report_missing(const std::string& name, const Place& place);
  bool leads_to(const std::string& to, std::vector<std::string>& path) const;
  std::optional<std::string> value_of(const std::string& name) const;
  std::string remedy(const std::string& name) const;

  const Surroundings& surroundings_;
  Diagnostics& diagnostics_;
  std::map<std::string, std::string> defined_;
  std::set<std::string> broken_;  // what has been told already
  bool all_broken_ = false;
  const Node* vars_ = nullptr;  // while they are defined
  std::string defining_;        // which of them
};

}  // namespace vipd::conf
