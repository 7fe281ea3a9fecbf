#include "server/lmtp/reply_address.h"

#include <optional>

#include "server/lmtp/ascii.h"

namespace holdfast::lmtp {
namespace {

constexpr std::string_view kLocalPart = "reply+";
constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kTokenBytes = 18;

using TokenBytes = std::array<std::uint8_t, kTokenBytes>;

std::string base32(const TokenBytes& bytes) {
  std::string out;
  unsigned held = 0, bits = 0;
  for (const std::uint8_t byte : bytes) {
    held = held << 8 | byte;
    for (bits += 8; bits >= 5; bits -= 5) out += kAlphabet[held >> (bits - 5) & 31];
  }
  if (bits > 0) out += kAlphabet[held << (5 - bits) & 31];
  return out;
}

/// One text for one value: bits behind the last byte have to be zero.
std::optional<TokenBytes> from_base32(std::string_view text) {
  if (text.size() != kReplyTokenCharacters) return std::nullopt;
  TokenBytes out{};
  std::size_t filled = 0;
  unsigned held = 0, bits = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(lower(c));
    if (value == std::string_view::npos) return std::nullopt;
    held = (held << 5 | static_cast<unsigned>(value)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out[filled++] = static_cast<std::uint8_t>(held >> bits);
  }
  const bool rest_is_zero = (held & ((1U << bits) - 1)) == 0;
  if (filled != kTokenBytes || !rest_is_zero) return std::nullopt;
  return out;
}

}  // namespace

std::string format_reply_address(const ReplyToken& token, std::string_view domain) {
  TokenBytes bytes{static_cast<std::uint8_t>(token.partition.value >> 8),
                   static_cast<std::uint8_t>(token.partition.value)};
  std::copy(token.secret.begin(), token.secret.end(), bytes.begin() + 2);
  return std::string(kLocalPart) + base32(bytes) + "@" + std::string(domain);
}

Result<ReplyToken> parse_reply_address(std::string_view address, std::string_view domain) {
  const Error no_such{Errc::not_found, "no such address here"};
  const auto at = address.rfind('@');
  if (at == std::string_view::npos) return no_such;
  if (!domain.empty() && !same_text(address.substr(at + 1), domain)) return no_such;
  const auto local = address.substr(0, at);
  if (!begins_with_text(local, kLocalPart)) return no_such;
  const auto bytes = from_base32(local.substr(kLocalPart.size()));
  if (!bytes) return no_such;
  ReplyToken token;
  token.partition = PartitionId(static_cast<std::uint16_t>((*bytes)[0] << 8 | (*bytes)[1]));
  std::copy(bytes->begin() + 2, bytes->end(), token.secret.begin());
  return token;
}

}  // namespace holdfast::lmtp
