// Certificates made on the spot: an authority, and what it signs.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

#include "tests/checks/scratch.h"

namespace vipd::testing {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

struct Identity {
  Key key;
  Certificate certificate;
};

inline void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// names: as of subjectAltName, "DNS:www.example.net,IP:127.0.0.1"; empty makes an authority. Without an
// issuer it signs itself. Valid from an hour ago until `seconds_left` from now.
inline Identity make_identity(const std::string& common_name, const std::string& names,
                              const Identity* issuer, long seconds_left = 3600) {
  Identity made;
  made.key = Key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  made.certificate = Certificate(X509_new(), X509_free);
  X509* x = made.certificate.get();
  static long serial = 1;
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -7200);
  X509_gmtime_adj(X509_getm_notAfter(x), seconds_left);
  X509_set_pubkey(x, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509* signer = issuer ? issuer->certificate.get() : x;
  X509_set_issuer_name(x, X509_get_subject_name(signer));
  extend(x, signer, NID_basic_constraints, names.empty() ? "critical,CA:TRUE" : "CA:FALSE");
  if (!names.empty()) extend(x, signer, NID_subject_alt_name, names);
  X509_sign(x, issuer ? issuer->key.get() : made.key.get(), EVP_sha256());
  return made;
}

inline std::string write_certificate(const Scratch& scratch, const std::string& name,
                                     const Identity& identity) {
  auto path = scratch.path() + "/" + name;
  FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, identity.certificate.get());
  std::fclose(file);
  return path;
}

inline std::string write_key(const Scratch& scratch, const std::string& name, const Identity& identity) {
  auto path = scratch.path() + "/" + name;
  FILE* file = std::fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, identity.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  return path;
}

}  // namespace vipd::testing
