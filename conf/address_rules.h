// What may stand where the configuration wants an address, and what to say if something else does.
#pragma once

#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "conf/config.h"

namespace vipd::conf {

// Why no node may have the address, or empty.
std::string trouble_with(const Prefix& prefix);

// "192.0.2.10:80" or "[2001:db8::10]:80"; the error's message is what to write.
Result<Listener> parse_listener(const std::string& text);

// What to write in place of something that is no address with a prefix length.
std::string remedy_for_address(const std::string& text);

}  // namespace vipd::conf
