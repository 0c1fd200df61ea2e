// `vipctl check [FILE...]`: reports whether vipd would accept the files. Needs no running vipd and changes
// nothing.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/diagnostics.h"

namespace vipd::ctl {

// The file that vipd reads unless it is started with --config (programs/common/paths.h).
constexpr const char* installed_configuration = "/etc/vipd/vipd.yaml";

// Exit codes. Of several files, the highest.
constexpr int check_ok = 0;          // warnings are allowed
constexpr int check_errors = 1;      // a file has errors
constexpr int check_unreadable = 2;  // a file cannot be read

// As elements of the JSON list that check() writes.
nlohmann::ordered_json list_of(const Diagnostics& diagnostics);

// files: "-" and "/dev/stdin" are the standard input; relative paths in it start at the working directory.
// node: check as this node; empty: as each node that a file has a section for, else as this host.
//
// As text: the diagnostics and their count on err; for each file without errors one line on out,
//     /etc/vipd/vipd.yaml: ok, 2 virtual routers, 1 virtual server, 3 checks
//     /etc/vipd/vipd.yaml (node web-a): ok, ...
// With json: one list of all diagnostics on out, nothing on err:
//     [{"file", "line", "column", "severity": "error" | "warning", "message", "remedy"}, ...]
// where line and column are 0 if the message is about the file as a whole, and remedy may be "".
int check(const std::vector<std::string>& files, const std::string& node, bool json, std::ostream& out,
          std::ostream& err);

}  // namespace vipd::ctl
