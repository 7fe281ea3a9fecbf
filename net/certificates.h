/// Making certificates: what a self-signed one and those of a cluster have in common. For net/ itself.
///
/// Keys are ECDSA on P-256, signatures SHA-256, serial numbers random. Any thread.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace holdfast {

template <auto Free>
struct OpensslDeleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using CertificateKey = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, OpensslDeleter<X509_free>>;

/// Errc::io with what OpenSSL says, and empties its queue.
Error openssl_error(const std::string& what);

/// Whether `host` is an address, and not a name.
bool is_address(const std::string& host);
/// "DNS:a,IP:b", OpenSSL's text for subjectAltName. Fails with invalid_argument on what is neither.
Result<std::string> alternative_names(const std::vector<std::string>& hosts);

struct CertificateWish {
  std::string common_name;
  int days = 0;
  std::vector<std::pair<int, std::string>> extensions;  ///< NID_..., and OpenSSL's text for it
};

/// Who signs. Without: the certificate signs itself.
struct Issuer {
  X509* certificate = nullptr;
  EVP_PKEY* key = nullptr;
};

Result<CertificateKey> make_certificate_key();
Result<Certificate> make_certificate(EVP_PKEY* key, const CertificateWish& wish, Issuer issuer = {});

/// Both files, the key first and with mode 0600. Each appears whole or not at all (written beside, synced, renamed).
/// Fails with io and says which file.
Status write_key_and_certificate(EVP_PKEY* key, const std::string& key_path, X509* certificate,
                                 const std::string& certificate_path);

/// Fail with not_found or invalid_argument and name the file.
Result<CertificateKey> read_key(const std::string& path);
Result<Certificate> read_certificate(const std::string& path);

}  // namespace holdfast
