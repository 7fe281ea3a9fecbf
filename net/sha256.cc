#include "net/sha256.h"

#include <openssl/evp.h>

#include "base/check.h"
#include "base/hash.h"

namespace holdfast {

struct Sha256::Context {
  Context() : digest(EVP_MD_CTX_new()) {
    HF_CHECK(digest != nullptr && EVP_DigestInit_ex(digest, EVP_sha256(), nullptr) == 1, "SHA-256 always exists");
  }
  ~Context() { EVP_MD_CTX_free(digest); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* digest;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
  HF_CHECK(EVP_DigestUpdate(context_->digest, bytes.data(), bytes.size()) == 1, "hashing does not fail");
}

std::string Sha256::hex() {
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  HF_CHECK(EVP_DigestFinal_ex(context_->digest, value, &length) == 1, "hashing does not fail");
  return to_hex({reinterpret_cast<const char*>(value), length});
}

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex();
}

}  // namespace holdfast
