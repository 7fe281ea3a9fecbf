#include "net/certificates.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace holdfast {

namespace {

using Extension = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, text.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes;
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) return false;
  bytes[0] &= 0x7f;  // positive (RFC 5280, 4.1.2.2)
  const Number number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool set_validity(X509* certificate, int days) {
  constexpr long kEarlier = -3600;  // for those whose clock is a little behind
  return X509_gmtime_adj(X509_getm_notBefore(certificate), kEarlier) &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), days, kEarlier, nullptr);
}

bool set_names(X509* certificate, const std::string& common_name, X509* issuer) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1;
}

bool add_extensions(X509* certificate, X509* issuer, const CertificateWish& wish) {
  for (const auto& [id, text] : wish.extensions) {
    if (!add_extension(certificate, issuer, id, text)) return false;
  }
  return true;
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

Error file_error(const std::string& path, const char* what) {
  return {Errc::io, std::string("can't ") + what + " " + path + ": " + std::strerror(errno)};
}

/// Written whole and synced; false leaves the reason in errno.
bool write_synced(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

Status sync_folder(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return file_error(folder, "open");
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!synced) return file_error(folder, "sync");
  return Ok{};
}

Status write_atomically(const std::string& path, std::string_view text, mode_t mode) {
  const auto beside = path + ".new";
  ::unlink(beside.c_str());  // of an earlier try that was cut short
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) return file_error(beside, "create");
  const bool written = write_synced(descriptor, text);
  ::close(descriptor);
  if (!written) return file_error(beside, "write");
  if (::rename(beside.c_str(), path.c_str()) != 0) return file_error(path, "replace");
  return sync_folder(path);
}

Result<Memory> open_pem(const std::string& path) {
  Memory file(BIO_new_file(path.c_str(), "r"));
  if (file) return file;
  ERR_clear_error();
  return Error{Errc::not_found, path + " can't be read"};
}

Error useless(const std::string& path) {
  return {Errc::invalid_argument, openssl_error(path + " can't be used").message};
}

}  // namespace

Error openssl_error(const std::string& what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {Errc::io, what + ": " + (reason ? reason : "unknown reason")};
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

Result<std::string> alternative_names(const std::vector<std::string>& hosts) {
  std::string text;
  for (const auto& host : hosts) {
    const auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*";
    const bool address = is_address(host);
    if (!address && (host.empty() || host.find_first_not_of(allowed) != std::string::npos)) {
      return Error{Errc::invalid_argument, "\"" + host + "\" is neither a host name nor an address"};
    }
    text += (text.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + host;
  }
  return text;
}

Result<CertificateKey> make_certificate_key() {
  CertificateKey key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("can't make a key");
  return key;
}

Result<Certificate> make_certificate(EVP_PKEY* key, const CertificateWish& wish, Issuer issuer) {
  Certificate certificate(X509_new());
  X509* made = certificate.get();
  if (!issuer.certificate) issuer = {made, key};
  const bool good = made && X509_set_version(made, X509_VERSION_3) == 1 && set_random_serial(made) &&
                    set_validity(made, wish.days) && set_names(made, wish.common_name, issuer.certificate) &&
                    X509_set_pubkey(made, key) == 1 && add_extensions(made, issuer.certificate, wish) &&
                    X509_sign(made, issuer.key, EVP_sha256()) > 0;
  if (!good) return openssl_error("can't make a certificate");
  return certificate;
}

Status write_key_and_certificate(EVP_PKEY* key, const std::string& key_path, X509* certificate,
                                 const std::string& certificate_path) {
  const Memory key_text(BIO_new(BIO_s_secmem()));
  const Memory certificate_text(BIO_new(BIO_s_mem()));
  if (!key_text || PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      !certificate_text || PEM_write_bio_X509(certificate_text.get(), certificate) != 1) {
    return openssl_error("can't write a certificate as PEM");
  }
  auto key_written = write_atomically(key_path, text_of(key_text.get()), 0600);
  if (!key_written) return key_written;
  return write_atomically(certificate_path, text_of(certificate_text.get()), 0644);
}

Result<CertificateKey> read_key(const std::string& path) {
  auto file = open_pem(path);
  if (!file) return file.error();
  CertificateKey key(PEM_read_bio_PrivateKey(file->get(), nullptr, nullptr, nullptr));
  if (!key) return useless("the key " + path);
  return key;
}

Result<Certificate> read_certificate(const std::string& path) {
  auto file = open_pem(path);
  if (!file) return file.error();
  Certificate certificate(PEM_read_bio_X509(file->get(), nullptr, nullptr, nullptr));
  if (!certificate) return useless("the certificate " + path);
  return certificate;
}

}  // namespace holdfast
