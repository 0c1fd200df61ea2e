// The keys inside `tls:` of a check: how the peer is authenticated, and how vipd authenticates itself.
//
// The files are checked when the configuration is read, so that an error is found before a check fails
// because of it. The monitor reads them again for each connection, as its own user.
#pragma once

#include <string>

#include "base/reader.h"

namespace vipd::checks {

struct TlsSettings {
  bool verify = true;       // certificate chain and name
  std::string ca_file;      // PEM; empty: the system's certificate authorities
  std::string server_name;  // asked for (SNI) and expected in the certificate; empty: the name or address we
                            // connect to
  std::string cert_file;    // PEM; our own certificate and key, for servers that ask for one
  std::string key_file;
  bool operator==(const TlsSettings&) const = default;
};

// Reads the map under the key "tls" of a check, or `tls: true`.
TlsSettings read_tls(Reader& check);

}  // namespace vipd::checks
