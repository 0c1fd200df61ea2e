// Rules for addresses in the configuration, and the messages about addresses that break them.
#pragma once

#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "conf/config.h"

namespace vipd::conf {

// The reason why no node can have the address; empty if one can.
std::string trouble_with(const Prefix& prefix);

// "192.0.2.10:80" or "[2001:db8::10]:80". The error's message is the remedy.
Result<Listener> parse_listener(const std::string& text);

// The remedy for a text that is not an address with a prefix length.
std::string remedy_for_address(const std::string& text);

}  // namespace vipd::conf
