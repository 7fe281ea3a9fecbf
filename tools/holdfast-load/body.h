/// The bodies of our messages: each says which it is, and every byte follows from that, so that a damaged one is seen.
///
///     body = pair " " sequence " " *filler       ; decimal; filler: letters drawn by pair and sequence
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::load {

inline constexpr std::uint32_t kBodyBytesMin = 32;

/// `bytes` is at least kBodyBytesMin.
std::string make_body(std::uint32_t pair, std::uint64_t sequence, std::uint32_t bytes);
/// The sequence; nothing if this is not, to the last byte, a body of this pair.
std::optional<std::uint64_t> read_body(std::string_view body, std::uint32_t pair, std::uint32_t bytes);

}  // namespace holdfast::load
