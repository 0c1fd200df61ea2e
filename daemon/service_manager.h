// What systemd wants to hear from a service of Type=notify (sd_notify(3)): a datagram to the socket that it
// names in the environment. Does nothing where there is no systemd.
#pragma once

#include <string_view>

namespace vipd::daemon {

// "READY=1", "STOPPING=1", "STATUS=...": lines.
void notify_service_manager(std::string_view state);

}  // namespace vipd::daemon
