/// BLAKE2b by libsodium (RFC 7693).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace holdfast {

using Hash32 = std::array<std::uint8_t, 32>;

inline std::string_view as_bytes(const Hash32& hash) { return {reinterpret_cast<const char*>(hash.data()), 32}; }

/// BLAKE2b-256 of the parts one after the other. Parts of varying length need a delimiter of the caller's.
Hash32 blake2b_256(std::initializer_list<std::string_view> parts);
/// BLAKE2b-128, for ids that are derived rather than drawn.
std::array<std::uint8_t, 16> blake2b_128(std::initializer_list<std::string_view> parts);
/// Keyed BLAKE2b-256: a message authentication code. The key has 32 bytes.
Hash32 mac_256(std::string_view key, std::initializer_list<std::string_view> parts);
/// In constant time for equal lengths.
bool equal_secret(std::string_view a, std::string_view b);

std::string to_hex(std::string_view bytes);

}  // namespace holdfast
