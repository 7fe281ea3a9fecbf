#include "net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>

#include "base/check.h"

namespace holdfast {
namespace {

constexpr std::int64_t kOpenBefore = 2;
constexpr std::int64_t kOpenAfter = 1;

TicketKeys::Key derive(const Hash32& secret, std::int64_t window) {
  const std::string of = "window " + std::to_string(window);
  TicketKeys::Key key;
  const Hash32 name = mac_256(as_bytes(secret), {"holdfast TLS ticket: name, ", of});
  std::copy_n(name.begin(), key.name.size(), key.name.begin());
  key.cipher = mac_256(as_bytes(secret), {"holdfast TLS ticket: cipher, ", of});
  key.mac = mac_256(as_bytes(secret), {"holdfast TLS ticket: mac, ", of});
  return key;
}

std::string_view name_of(const TicketKeys::Key& key) {
  return {reinterpret_cast<const char*>(key.name.data()), key.name.size()};
}

void free_keys(void*, void* keys, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<std::shared_ptr<TicketKeys>*>(keys);
}

int keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_keys);
  return index;
}

bool set_mac(EVP_MAC_CTX* mac, const Hash32& key) {
  auto* bytes = const_cast<std::uint8_t*>(key.data());  // OpenSSL only reads it
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes, key.size()),
                               OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                               OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, params) == 1;
}

// What the callback answers with, as SSL_CTX_set_tlsext_ticket_key_evp_cb(3) has it.
constexpr int kFailed = -1, kNoTicket = 0, kSealed = 1, kUseAndRenew = 2;

int seal(TicketKeys& keys, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  const auto key = keys.sealing();
  if (!key) return kNoTicket;
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return kFailed;
  std::copy(key->name.begin(), key->name.end(), name);
  const bool good = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1;
  return good && set_mac(mac, key->mac) ? kSealed : kFailed;
}

int open(TicketKeys& keys, const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
         EVP_MAC_CTX* mac) {
  const auto key = keys.find({reinterpret_cast<const char*>(name), sizeof(TicketKeys::Key::name)});
  if (!key) return kNoTicket;
  const bool good = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1;
  return good && set_mac(mac, key->mac) ? kUseAndRenew : kFailed;  // one ticket is good for one connection
}

int ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
               int seals) {
  auto& keys =
      *static_cast<std::shared_ptr<TicketKeys>*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), keys_index()));
  return seals ? seal(*keys, name, iv, cipher, mac) : open(*keys, name, iv, cipher, mac);
}

}  // namespace

void TicketKeys::set_secrets(std::vector<Hash32> secrets) {
  HF_CHECK(!secrets.empty(), "somebody has to seal");
  const std::lock_guard lock(mutex_);
  secrets_ = std::move(secrets);
  window_.reset();
}

void TicketKeys::refresh() {
  const std::int64_t window = std::chrono::floor<std::chrono::hours>(clock_()).time_since_epoch() / kWindow;
  if (window_ == window) return;
  window_ = window;
  keys_.clear();
  for (std::int64_t at : {window, window - kOpenBefore, window - kOpenBefore + 1, window + kOpenAfter})
    for (const Hash32& secret : secrets_) keys_.push_back(derive(secret, at));
}

std::optional<TicketKeys::Key> TicketKeys::sealing() {
  const std::lock_guard lock(mutex_);
  refresh();
  if (keys_.empty()) return std::nullopt;
  return keys_.front();
}

std::optional<TicketKeys::Key> TicketKeys::find(std::string_view name) {
  const std::lock_guard lock(mutex_);
  refresh();
  const auto at = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return name_of(key) == name; });
  if (at == keys_.end()) return std::nullopt;
  return *at;
}

void use_ticket_keys(SSL_CTX* context, std::shared_ptr<TicketKeys> keys) {
  HF_CHECK(!SSL_CTX_get_ex_data(context, keys_index()), "a context gets its ticket keys once");
  auto* kept = new std::shared_ptr<TicketKeys>(std::move(keys));
  HF_CHECK(SSL_CTX_set_ex_data(context, keys_index(), kept) == 1, "OpenSSL has no memory for ticket keys");
  HF_CHECK(SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key) == 1, "OpenSSL takes ticket keys");
  SSL_CTX_set_timeout(context, TicketKeys::kTicketLife.count());
}

}  // namespace holdfast
