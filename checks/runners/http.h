// The runner of HTTP and HTTPS checks: sends one request through libcurl and judges the answer.
//
// HTTP/1.1, and HTTP/2 if TLS negotiates it. Redirects are not followed (a 3xx is an answer like any other),
// proxies from the environment are not used, and at most 1 MiB of a body is searched.
#pragma once

#include <memory>

#include "checks/attempt.h"
#include "checks/settings/check.h"

namespace vipd::checks {

struct Context;

std::unique_ptr<Attempt> start_http(const CheckConfig& check, const Settings& settings, Context& context,
                                    Done done);

}  // namespace vipd::checks
