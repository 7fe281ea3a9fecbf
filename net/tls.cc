#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>

#include "base/check.h"
#include "base/hash.h"
#include "net/tls_sessions.h"

namespace holdfast {

namespace {

constexpr std::size_t kServersMax = 64;  // whose tickets a client's context keeps

std::string queued_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason ? reason : "unknown reason";
}

Error unusable(const std::string& what, const std::string& path) {
  if (::access(path.c_str(), R_OK) != 0) return {Errc::not_found, what + " " + path + " can't be read"};
  return {Errc::invalid_argument, what + " " + path + " can't be used: " + queued_reason()};
}

/// What server and client have in common.
std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  HF_CHECK(context, "OpenSSL has no memory for a context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // Buffers go back while a connection idles; what a write offers may have moved, and grown, by the next try.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Tickets carry the session; a cache in the server's memory would only grow.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

std::string sha256_hex(X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HF_CHECK(X509_digest(certificate, EVP_sha256(), digest, &length) == 1, "SHA-256 always exists");
  return to_hex({reinterpret_cast<const char*>(digest), length});
}

std::string normal_fingerprint(const std::string& text) {
  std::string hex;
  for (const char c : text) {
    if (c != ':') hex.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return hex;
}

bool is_sha256_hex(const std::string& hex) {
  return hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Instead of OpenSSL's chain check: the certificate is the pinned one, or it is not.
int verify_pin(X509_STORE_CTX* check, void* pin) {
  X509* certificate = X509_STORE_CTX_get0_cert(check);
  const bool same = certificate && sha256_hex(certificate) == *static_cast<std::string*>(pin);
  X509_STORE_CTX_set_error(check, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
  return same ? 1 : 0;
}

void free_pin(void*, void* pin, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<std::string*>(pin); }

/// The pin lives as long as the SSL_CTX, which connections may hold longer than any handle of ours.
void set_pin(SSL_CTX* context, std::string hex) {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_pin);
  auto* pin = new std::string(std::move(hex));
  HF_CHECK(SSL_CTX_set_ex_data(context, index, pin) == 1, "OpenSSL has no memory for a pin");
  SSL_CTX_set_cert_verify_callback(context, verify_pin, pin);
}

class TlsCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override {
    const char* reason = ERR_reason_error_string(static_cast<unsigned long>(value));
    return reason ? reason : "TLS error " + std::to_string(value);
  }
};

class CertificateCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "certificate"; }
  std::string message(int value) const override {
    return std::string("the certificate is refused: ") + X509_verify_cert_error_string(value);
  }
};

Status use_own(SSL_CTX* context, const std::string& certificate_path, const std::string& key_path) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate_path.c_str()) != 1) {
    return unusable("the certificate", certificate_path);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable("the key", key_path);
  }
  return Ok{};
}

void name_sessions(SSL_CTX* context) {
  static const unsigned char kName[] = "holdfast";
  SSL_CTX_set_session_id_context(context, kName, sizeof kName - 1);
}

Status use_mutual(SSL_CTX* context, const MutualTlsFiles& files) {
  auto own = use_own(context, files.certificate, files.key);
  if (!own) return own;
  if (SSL_CTX_load_verify_file(context, files.ca.c_str()) != 1) return unusable("the CA file", files.ca);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return Ok{};
}

}  // namespace

Result<TlsContext> TlsContext::server(const std::string& certificate_path, const std::string& key_path) {
  auto context = make_context(TLS_server_method());
  auto own = use_own(context.get(), certificate_path, key_path);
  if (!own) return own.error();
  name_sessions(context.get());
  SSL_CTX_set_num_tickets(context.get(), 1);  // a client has one use for one
  return TlsContext(std::move(context), false);
}

Result<TlsContext> TlsContext::client(const TlsTrust& trust) {
  const int ways = int{!trust.ca_file.empty()} + int{!trust.pinned_fingerprint.empty()} + int{trust.insecure};
  if (ways > 1) return Error{Errc::invalid_argument, "a CA file, a fingerprint and insecure exclude each other"};
  auto context = make_context(TLS_client_method());
  take_client_tickets(context.get());
  auto tickets = std::make_shared<ClientTickets>(kServersMax);
  if (trust.insecure) return TlsContext(std::move(context), false, std::move(tickets));
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (!trust.pinned_fingerprint.empty()) {
    auto hex = normal_fingerprint(trust.pinned_fingerprint);
    if (!is_sha256_hex(hex)) return Error{Errc::invalid_argument, "a fingerprint is 64 hex digits (SHA-256)"};
    set_pin(context.get(), std::move(hex));
    return TlsContext(std::move(context), false, std::move(tickets));
  }
  if (trust.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_file(context.get(), trust.ca_file.c_str()) != 1) {
    return unusable("the CA file", trust.ca_file);
  }
  return TlsContext(std::move(context), true, std::move(tickets));
}

TlsContext TlsContext::with_tickets(std::shared_ptr<ClientTickets> tickets) const {
  HF_CHECK(tickets_ && tickets, "a client's context, and somewhere to keep tickets");
  return TlsContext(context_, checks_names_, std::move(tickets));
}

Result<TlsContext> TlsContext::mutual_server(const MutualTlsFiles& files) {
  auto context = make_context(TLS_server_method());
  auto used = use_mutual(context.get(), files);
  if (!used) return used.error();
  name_sessions(context.get());
  SSL_CTX_set_num_tickets(context.get(), 0);
  return TlsContext(std::move(context), false);
}

Result<TlsContext> TlsContext::mutual_client(const MutualTlsFiles& files) {
  auto context = make_context(TLS_client_method());
  auto used = use_mutual(context.get(), files);
  if (!used) return used.error();
  // There will be none; every client's context has the place.
  return TlsContext(std::move(context), false, std::make_shared<ClientTickets>(0));
}

Result<std::string> certificate_fingerprint(const std::string& certificate_path) {
  const std::unique_ptr<BIO, int (*)(BIO*)> file(BIO_new_file(certificate_path.c_str(), "r"), BIO_free);
  if (!file) return unusable("the certificate", certificate_path);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr),
                                                           X509_free);
  if (!certificate) return unusable("the certificate", certificate_path);
  return sha256_hex(certificate.get());
}

const boost::system::error_category& tls_category() {
  static const TlsCategory category;
  return category;
}

const boost::system::error_category& certificate_category() {
  static const CertificateCategory category;
  return category;
}

}  // namespace holdfast
