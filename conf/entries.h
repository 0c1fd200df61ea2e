// Entries: maps whose keys are names that the user chooses (virtual routers, virtual servers, checks), and
// the values that no two of them may share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "base/node.h"

namespace vipd::conf {

// A value that no two entries may share: the entry that had it first, and its place.
struct Claim {
  std::string owner;
  Place place;
};

// name: in quotes if it is invalid, which has been reported.
using ReadEntry = std::function<void(const std::string& name, Place name_place, const Node& value)>;

// Reads each entry. what ("virtual_routers") and what_entry ("virtual router") are for messages.
void for_entries(const Node& map, Diagnostics& diagnostics, const std::string& what,
                 const std::string& what_entry, const ReadEntry& read);

// "a, b and c", or "a, b and 7 more".
std::string listed(const std::vector<std::string>& words, std::size_t most);

}  // namespace vipd::conf
