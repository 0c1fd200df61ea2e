#include "checks/runners/tls_contexts.h"

#include <doctest/doctest.h>

#include "io/clock.h"
#include "tests/checks/runners/certificates.h"

using namespace vipd;
using namespace vipd::checks;
using namespace vipd::testing;

TEST_CASE("tls: a file that has gone or changed since the configuration was read is named, with the reason") {
  const Scratch scratch;
  const auto ours = make_identity("ours", "", nullptr);
  const auto another = make_identity("another", "", nullptr);
  const auto certificate = write_certificate(scratch, "cert.pem", ours);
  const auto key = write_key(scratch, "key.pem", ours);
  const auto other_key = write_key(scratch, "other.pem", another);
  const auto none = scratch.path() + "/none.pem";
  const auto trouble = [](const TlsSettings& settings) {
    const auto made = TlsContexts(io::now).connection(settings, Endpoint{"127.0.0.1", 443, true});
    return made ? "" : made.error().message;
  };
  CHECK(trouble({.ca_file = certificate, .cert_file = certificate, .key_file = key}) == "");
  CHECK(trouble({.ca_file = none}) == "reading " + none + ": No such file or directory");
  CHECK(trouble({.cert_file = none, .key_file = key}) ==
        "reading cert_file " + none + ": No such file or directory");
  CHECK(trouble({.cert_file = certificate, .key_file = none}) ==
        "reading key_file " + none + ": No such file or directory");
  CHECK(trouble({.cert_file = certificate, .key_file = other_key}) ==
        "reading key_file " + other_key + ": key values mismatch");
}
