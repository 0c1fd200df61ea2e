// `vipctl check FILE...`: says whether vipd would take the files, without a daemon and without changing
// anything.
#pragma once

#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/document.h"

namespace vipd::ctl {

// Exit codes. Of several files, the worst.
constexpr int check_ok = 0;          // warnings are allowed
constexpr int check_errors = 1;      // a file has errors
constexpr int check_unreadable = 2;  // a file cannot be read

// As elements of the list below.
nlohmann::ordered_json list_of(const Diagnostics& diagnostics);

// files: "-" and "/dev/stdin" are the standard input, which stands in the working directory.
// node: for which node; empty: for each that a file has a section for, else for this host.
//
// For people: the diagnostics and a count of them on err; for each good file one line on out,
//     /etc/vipd/vipd.yaml: ok, 2 virtual routers, 1 virtual server, 3 checks
//     /etc/vipd/vipd.yaml (node web-a): ok, ...
// With json, out gets one list of all diagnostics instead, and err nothing:
//     [{"file", "line", "column", "severity": "error" | "warning", "message", "remedy"}, ...]
// where line and column are 0 if the message is about the file as a whole, and remedy may be "".
int check(const std::vector<std::string>& files, const std::string& node, bool json, std::ostream& out,
          std::ostream& err);

}  // namespace vipd::ctl
