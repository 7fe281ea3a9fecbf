#include "net/cluster_certs.h"

#include <openssl/obj_mac.h>

#include <filesystem>

#include "net/certificates.h"

namespace holdfast {

namespace {

namespace fs = std::filesystem;

CertificateFiles files_of(const std::string& directory, const std::string& name) {
  const fs::path folder(directory);
  return {(folder / (name + ".pem")).string(), (folder / (name + ".key")).string()};
}

/// It becomes a file's name, and must not be the authority's.
Status check_node_name(const std::string& node) {
  const auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  if (!node.empty() && node.size() <= 64 && node.front() != '.' && node != "ca" &&
      node.find_first_not_of(allowed) == std::string::npos) {
    return Ok{};
  }
  return Error{
      Errc::invalid_argument,
      "\"" + node + "\" can't be a node's name: letters, digits, '.', '-' and '_', at most 64, and not \"ca\""};
}

struct Authority {
  CertificateKey key;
  Certificate certificate;
};

Result<Authority> read_authority(const std::string& directory) {
  const auto files = cluster_ca_files(directory);
  auto key = read_key(files.key);
  if (!key && key.error().code == Errc::not_found) {
    return Error{Errc::not_found, files.key +
                                      " can't be read: make the cluster's authority first (`holdfastctl certs "
                                      "init`), or work where its key is kept"};
  }
  if (!key) return key.error();
  auto certificate = read_certificate(files.certificate);
  if (!certificate) return certificate.error();
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    return Error{Errc::invalid_argument, files.key + " is not the key of " + files.certificate};
  }
  return Authority{std::move(*key), std::move(*certificate)};
}

}  // namespace

CertificateFiles cluster_ca_files(const std::string& directory) { return files_of(directory, "ca"); }

CertificateFiles node_certificate_files(const std::string& directory, const std::string& node) {
  return files_of(directory, node);
}

Status make_cluster_ca(const std::string& directory) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return Error{Errc::io, "can't make the directory " + directory + ": " + failed.message()};
  const auto files = cluster_ca_files(directory);
  for (const auto& file : {files.key, files.certificate}) {
    if (!fs::exists(file, failed)) continue;
    return Error{Errc::already_exists, file +
                                           " exists: a new authority would make all certificates of the old one "
                                           "worthless; choose another directory, or move it away"};
  }
  auto key = make_certificate_key();
  if (!key) return key.error();
  const CertificateWish wish{"Holdfast cluster authority",
                             kClusterCaDays,
                             {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                              {NID_key_usage, "critical,keyCertSign,cRLSign"},
                              {NID_subject_key_identifier, "hash"}}};
  auto certificate = make_certificate(key->get(), wish);
  if (!certificate) return certificate.error();
  return write_key_and_certificate(key->get(), files.key, certificate->get(), files.certificate);
}

Status make_node_certificate(const std::string& directory, const std::string& node,
                             const std::vector<std::string>& hosts) {
  auto name_checked = check_node_name(node);
  if (!name_checked) return name_checked;
  if (hosts.empty()) return Error{Errc::invalid_argument, "a node's certificate needs at least one host"};
  auto names = alternative_names(hosts);
  if (!names) return names.error();
  auto authority = read_authority(directory);
  if (!authority) return authority.error();
  auto key = make_certificate_key();
  if (!key) return key.error();
  const CertificateWish wish{node,
                             kNodeCertificateDays,
                             {{NID_subject_alt_name, *names},
                              {NID_basic_constraints, "critical,CA:FALSE"},
                              {NID_key_usage, "critical,digitalSignature"},
                              {NID_ext_key_usage, "serverAuth,clientAuth"},
                              {NID_subject_key_identifier, "hash"},
                              {NID_authority_key_identifier, "keyid"}}};
  auto certificate = make_certificate(key->get(), wish, {authority->certificate.get(), authority->key.get()});
  if (!certificate) return certificate.error();
  const auto files = node_certificate_files(directory, node);
  return write_key_and_certificate(key->get(), files.key, certificate->get(), files.certificate);
}

}  // namespace holdfast
