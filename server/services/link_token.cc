#include "server/services/link_token.h"

#include <sodium.h>

#include <array>

namespace holdfast::services {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kBytes = UserId::kBytes + IntentId::kBytes + kSecretBytes;
constexpr int kBase64Url = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kTextBytes = sodium_base64_ENCODED_LEN(kBytes, kBase64Url);  // with a zero at its end

const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::string LinkToken::str() const {
  const std::string bytes = user.str() + intent.str() + secret;
  std::array<char, kTextBytes> text{};
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(), kBase64Url);
  return text.data();
}

std::optional<LinkToken> LinkToken::parse(std::string_view token) {
  std::array<unsigned char, kBytes> bytes{};
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes.data(), bytes.size(), token.data(), token.size(), nullptr, &length, &end, kBase64Url) !=
          0 ||
      length != kBytes || end != token.data() + token.size())
    return std::nullopt;
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return LinkToken{*UserId::from_bytes(all.substr(0, UserId::kBytes)),
                   *IntentId::from_bytes(all.substr(UserId::kBytes, IntentId::kBytes)),
                   std::string(all.substr(UserId::kBytes + IntentId::kBytes))};
}

}  // namespace holdfast::services
