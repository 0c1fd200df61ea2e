// The runner of HTTP and HTTPS checks: one request, by libcurl, judged by its answer.
//
// HTTP/1.1, and 2 where TLS negotiates it. Redirects are not followed (a 3xx is an answer like others),
// proxies of the environment are not used, and of a body at most 1 MiB is looked at.
#pragma once

#include <memory>

#include "checks/runners/attempt.h"
#include "checks/settings/check.h"

namespace vipd::checks {

struct Context;

std::unique_ptr<Attempt> start_http(const CheckConfig& check, const Settings& settings, Context& context,
                                    Done done);

}  // namespace vipd::checks
