#include "base/hash.h"

#include <sodium.h>

#include "base/check.h"

namespace holdfast {
namespace {

void blake2b(std::uint8_t* out, std::size_t bytes, std::string_view key,
             std::initializer_list<std::string_view> parts) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size(), bytes);
  for (std::string_view part : parts)
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  crypto_generichash_final(&state, out, bytes);
}

}  // namespace

Hash32 blake2b_256(std::initializer_list<std::string_view> parts) {
  Hash32 hash;
  blake2b(hash.data(), hash.size(), {}, parts);
  return hash;
}

std::array<std::uint8_t, 16> blake2b_128(std::initializer_list<std::string_view> parts) {
  std::array<std::uint8_t, 16> hash;
  blake2b(hash.data(), hash.size(), {}, parts);
  return hash;
}

Hash32 mac_256(std::string_view key, std::initializer_list<std::string_view> parts) {
  HF_CHECK(key.size() == 32, "a MAC key has 32 bytes");
  Hash32 hash;
  blake2b(hash.data(), hash.size(), key, parts);
  return hash;
}

bool equal_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<std::uint8_t>(c) >> 4]);
    hex.push_back(kDigits[static_cast<std::uint8_t>(c) & 15]);
  }
  return hex;
}

}  // namespace holdfast
