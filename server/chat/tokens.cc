#include "server/chat/tokens.h"

#include <algorithm>

#include "base/hash.h"

namespace holdfast::chat {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kRandomBytes = 16;
constexpr std::size_t kMacBytes = 32;
constexpr std::size_t kSignedBytes = 1 + 4 + 2 + 16 + 16 + 4 + kRandomBytes;
constexpr std::size_t kTokenBytes = kSignedBytes + kMacBytes;

// keys = version:1 *(id:4 created_ms:8 secret:32)
constexpr std::size_t kStoredKeyBytes = 4 + 8 + 32;

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

/// Takes fields off the front of bytes whose length was checked.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}
  std::string_view take(std::size_t count) {
    const std::string_view field = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return field;
  }
  std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    for (const char c : take(count)) value = value << 8 | static_cast<std::uint8_t>(c);
    return value;
  }

 private:
  std::string_view bytes_;
};

std::string_view secret_of(const TokenKey& key) {
  return {reinterpret_cast<const char*>(key.secret.data()), key.secret.size()};
}

TokenKey draw_key(std::uint32_t id, WallTime now, Random& random) {
  TokenKey key{id, {}, now};
  random.fill(key.secret);
  return key;
}

}  // namespace

TokenKeys TokenKeys::first(WallTime now, Random& random) {
  TokenKeys keys;
  keys.keys_.push_back(draw_key(1, now, random));
  return keys;
}

TokenKeys TokenKeys::rotated(WallTime now, std::chrono::hours keep, Random& random) const {
  TokenKeys next;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const WallTime signed_last = i + 1 < keys_.size() ? keys_[i + 1].created : now;
    if (signed_last + keep >= now) next.keys_.push_back(keys_[i]);
  }
  next.keys_.push_back(draw_key(newest().id + 1, now, random));
  return next;
}

Result<TokenKeys> TokenKeys::parse(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "the token keys in the configuration store are damaged"};
  if (bytes.empty() || bytes[0] != kVersion || (bytes.size() - 1) % kStoredKeyBytes != 0) return corrupt;
  TokenKeys keys;
  Fields fields(bytes.substr(1));
  for (std::size_t left = (bytes.size() - 1) / kStoredKeyBytes; left > 0; --left) {
    TokenKey key{};
    key.id = static_cast<std::uint32_t>(fields.number(4));
    key.created = from_ms(static_cast<std::int64_t>(fields.number(8)));
    const std::string_view secret = fields.take(32);
    std::copy(secret.begin(), secret.end(), key.secret.begin());
    if (!keys.keys_.empty() && keys.newest().id >= key.id) return corrupt;
    keys.keys_.push_back(key);
  }
  if (keys.keys_.empty()) return corrupt;
  return keys;
}

std::string TokenKeys::serialize() const {
  std::string out(1, kVersion);
  for (const TokenKey& key : keys_) {
    append_number(out, key.id, 4);
    append_number(out, static_cast<std::uint64_t>(to_ms(key.created)), 8);
    out += secret_of(key);
  }
  return out;
}

const TokenKey* TokenKeys::find(std::uint32_t id) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [id](const TokenKey& key) { return key.id == id; });
  return found == keys_.end() ? nullptr : &*found;
}

std::string make_token(const TokenKeys& keys, const TokenClaims& claims, Random& random) {
  std::string token(1, kVersion);
  token.reserve(kTokenBytes);
  append_number(token, keys.newest().id, 4);
  append_number(token, claims.partition.value, 2);
  token += claims.user.bytes();
  token += claims.session.bytes();
  append_number(token, claims.serial, 4);
  std::array<std::uint8_t, kRandomBytes> drawn;
  random.fill(drawn);
  token.append(drawn.begin(), drawn.end());
  const Hash32 mac = mac_256(secret_of(keys.newest()), {token});
  token += as_bytes(mac);
  return token;
}

std::optional<TokenClaims> verify_token(const TokenKeys& keys, std::string_view token) {
  if (token.size() != kTokenBytes || token[0] != kVersion) return std::nullopt;
  Fields fields(token.substr(1));
  TokenClaims claims;
  claims.key_id = static_cast<std::uint32_t>(fields.number(4));
  claims.partition = PartitionId(static_cast<std::uint16_t>(fields.number(2)));
  claims.user = *UserId::from_bytes(fields.take(UserId::kBytes));
  claims.session = *SessionId::from_bytes(fields.take(SessionId::kBytes));
  claims.serial = static_cast<std::uint32_t>(fields.number(4));
  const TokenKey* key = keys.find(claims.key_id);
  if (!key) return std::nullopt;
  const Hash32 mac = mac_256(secret_of(*key), {token.substr(0, kSignedBytes)});
  if (!equal_secret(as_bytes(mac), token.substr(kSignedBytes))) return std::nullopt;
  return claims;
}

std::string token_hash(std::string_view token) {
  const Hash32 hash = blake2b_256({token});
  return std::string(as_bytes(hash));
}

}  // namespace holdfast::chat
