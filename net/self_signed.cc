/// The certificate that a first start makes for itself.
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "net/tls.h"

namespace holdfast {

namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

Error openssl_error(const char* what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return {Errc::io, std::string(what) + ": " + (reason ? reason : "unknown reason")};
}

bool is_address(const std::string& host) {
  error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

/// OpenSSL's text for subjectAltName. Fails on hosts that would not be one item of it.
Result<std::string> alternative_names(std::vector<std::string> hosts) {
  for (const char* always : {"localhost", "127.0.0.1", "::1"}) {
    if (std::find(hosts.begin(), hosts.end(), always) == hosts.end()) hosts.emplace_back(always);
  }
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

bool add_extension(X509* certificate, int id, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
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

bool set_validity(X509* certificate) {
  constexpr long kEarlier = -3600;  // for clients whose clock is a little behind
  return X509_gmtime_adj(X509_getm_notBefore(certificate), kEarlier) &&
         X509_time_adj_ex(X509_getm_notAfter(certificate), kSelfSignedDays, kEarlier, nullptr);
}

bool set_names(X509* certificate) {
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("Holdfast, self-signed");
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

Certificate sign(EVP_PKEY* key, const std::string& names) {
  Certificate certificate(X509_new());
  X509* made = certificate.get();
  const bool good = made && X509_set_version(made, X509_VERSION_3) == 1 && set_random_serial(made) &&
                    set_validity(made) && set_names(made) && X509_set_pubkey(made, key) == 1 &&
                    add_extension(made, NID_subject_alt_name, names) &&
                    add_extension(made, NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(made, NID_key_usage, "critical,digitalSignature") &&
                    add_extension(made, NID_ext_key_usage, "serverAuth") &&
                    add_extension(made, NID_subject_key_identifier, "hash") && X509_sign(made, key, EVP_sha256()) > 0;
  if (!good) certificate.reset();
  return certificate;
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

}  // namespace

Status make_self_signed(const std::string& certificate_path, const std::string& key_path,
                        const std::vector<std::string>& hosts) {
  auto names = alternative_names(hosts);
  if (!names) return names.error();
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return openssl_error("can't make a key");
  const auto certificate = sign(key.get(), *names);
  if (!certificate) return openssl_error("can't make a certificate");

  const Memory key_text(BIO_new(BIO_s_secmem()));
  const Memory certificate_text(BIO_new(BIO_s_mem()));
  if (!key_text || PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      !certificate_text || PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1) {
    return openssl_error("can't write a certificate as PEM");
  }
  auto key_written = write_atomically(key_path, text_of(key_text.get()), 0600);
  if (!key_written) return key_written;
  return write_atomically(certificate_path, text_of(certificate_text.get()), 0644);
}

}  // namespace holdfast
