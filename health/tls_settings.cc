#include "health/tls_settings.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "health/endpoint_settings.h"

namespace vipd::health {

namespace {

constexpr std::size_t largest_pem = 4 << 20;  // a bundle of all public authorities has 0.2 MiB

constexpr std::string_view private_key = "private key";

// What is secret is for few to read.
void warn_about_readers(Reader& tls, std::string_view key, const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & S_IROTH) == 0) return;
  tls.diagnostics().warning(tls.node().find(key)->place,
                            "everybody may read " + path + ", and it has a secret", "chmod o-rwx " + path);
}

// An absolute path to a readable PEM file that has `marker` inside. `what` is what the file should hold.
std::string read_pem_path(Reader& tls, std::string_view key, std::string_view marker,
                          const std::string& what) {
  const auto path = tls.text(key);
  if (!path) return {};
  if (!path->starts_with('/')) {
    tls.error(key, std::string(key) + " is " + quote(*path) + ", it must be an absolute path");
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
    const int code = errno;  // a directory opens, and fails to be read
    tls.error(key, "cannot read " + std::string(key) + " " + *path + ": " + std::strerror(code),
              "correct the path, or make the file readable");
  } else if (content.find(marker) == std::string::npos) {
    tls.error(key, std::string(key) + " " + *path + " has no " + what + " in PEM form");
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
      tls.error("server_name", "server_name is " + quote(*name) + ", it must be a host name");
    else
      settings.server_name = std::move(*name);
  }
  if (tls.has("cert_file") != tls.has("key_file")) {
    const char* present = tls.has("cert_file") ? "cert_file" : "key_file";
    const char* absent = tls.has("cert_file") ? "key_file" : "cert_file";
    tls.error(present, std::string(present) + " has no " + absent + " beside it");
  }
  if (!settings.verify && tls.has("ca_file"))
    check.diagnostics().warning(node->find("ca_file")->place, "ca_file is not used while verify is false");
  tls.finish();
  return settings;
}

}  // namespace vipd::health
