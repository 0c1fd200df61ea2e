// The keys inside `tls:` of a check: how the peer proves who it is, and how we do.
//
// Files are looked at when the configuration is read, so that a mistake is found before a check fails by it.
// They are read again for each connection, by the monitor and as its user.
#pragma once

#include <string>

#include "base/document.h"

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
