#include "checks/settings/tls_settings.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "base/words.h"
#include "checks/settings/endpoint_settings.h"

namespace vipd::checks {

namespace {

constexpr std::size_t largest_pem = 4 << 20;  // a bundle of all public authorities takes 0.2 MiB

constexpr std::string_view private_key = "private key";

// Warns if every user can read a secret.
void warn_about_readers(Reader& tls, std::string_view key, const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) return;
  tls.diagnostics().warning(tls.node().find(key)->place,
                            "every user can read " + path + ", which contains a secret",
                            "chmod o-rwx " + path);
}

// An absolute path to a readable PEM file that contains `marker`. `what` names the expected content.
std::string read_pem_path(Reader& tls, std::string_view key, std::string_view marker,
                          const std::string& what) {
  const auto path = tls.text(key);
  if (!path) return {};
  if (!path->starts_with('/')) {
    tls.error(key, std::string(key) + " must be an absolute path, not " + quote(*path));
    return {};
  }
  std::ifstream file(*path, std::ios::binary);
  std::string content;
  if (file) {
    content.resize(largest_pem);
    file.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file.is_open() || (file.fail() && !file.eof())) {
    const int code = errno;  // opening a directory succeeds, reading it fails
    tls.error(key, "cannot read " + std::string(key) + " " + *path + ": " + std::strerror(code),
              "correct the path, or make the file readable");
  } else if (content.find(marker) == std::string::npos) {
    tls.error(key, std::string(key) + " " + *path + " contains no " + what + " in PEM format");
  } else if (what == private_key) {
    warn_about_readers(tls, key, *path);
  }
  return *path;
}

}  // namespace

TlsSettings read_tls(Reader& check) {
  TlsSettings settings;
  const Node* node = check.child("tls");
  if (!node) return settings;
  if (node->type == Node::Type::scalar && !node->quoted && node->scalar == "true") return settings;
  if (node->type != Node::Type::map) {
    check.error("tls", "tls must be a map or true", "write tls: true, or tls: {ca_file: /etc/ssl/ca.pem}");
    return settings;
  }
  Reader tls(*node, check.diagnostics(), "tls of " + check.what());
  settings.verify = tls.boolean("verify").value_or(true);
  settings.ca_file = read_pem_path(tls, "ca_file", "-----BEGIN CERTIFICATE-----", "certificate");
  settings.cert_file = read_pem_path(tls, "cert_file", "-----BEGIN CERTIFICATE-----", "certificate");
  settings.key_file = read_pem_path(tls, "key_file", "PRIVATE KEY-----", std::string(private_key));
  if (auto name = tls.text("server_name")) {
    if (auto endpoint = parse_endpoint(*name, 443); !endpoint || endpoint->port != 443)
      tls.error("server_name", "server_name must be a host name, not " + quote(*name));
    else
      settings.server_name = std::move(*name);
  }
  if (tls.has("cert_file") != tls.has("key_file")) {
    const char* present = tls.has("cert_file") ? "cert_file" : "key_file";
    const char* absent = tls.has("cert_file") ? "key_file" : "cert_file";
    tls.error(present, std::string(present) + " needs " + absent + " beside it");
  }
  if (!settings.verify && tls.has("ca_file"))
    check.diagnostics().warning(node->find("ca_file")->place, "ca_file has no effect: verify is false");
  tls.finish();
  return settings;
}

}  // namespace vipd::checks
