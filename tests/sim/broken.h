// Which mutant of tests/sim/mutants.txt this run plays. Only the program sim_mutants has them.
#pragma once

#include <string>

namespace vipd::sim {

inline std::string chosen_mutant;  // set once, before the first seed is played; empty: none

inline bool broken(const char* name) {
  return chosen_mutant == name;
}

}  // namespace vipd::sim
