#include "server/services/reply_token.h"

#include "server/chat/mail_key.h"
#include "server/services/replies.h"
#include "storage/big_endian.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kSecretBytes = 16;

std::string base32(std::string_view bytes) {
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string text;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = (bits << 8 | static_cast<std::uint8_t>(c)) & 0xfff;
    for (count += 8; count >= 5; count -= 5) text.push_back(kDigits[bits >> (count - 5) & 31]);
  }
  if (count > 0) text.push_back(kDigits[bits << (5 - count) & 31]);
  return text;
}

}  // namespace

std::string reply_secret(const chat::MailKey& key, const IntentId& intent) {
  return key.secret("reply", intent).substr(0, kSecretBytes);
}

std::string reply_hash(std::string_view secret) { return chat::secret_hash(secret).substr(0, kReplyHashBytes); }

std::string format_reply_token(PartitionId partition, std::string_view secret) {
  std::string bytes;
  append_u16(bytes, partition.value);
  return base32(bytes.append(secret));
}

}  // namespace holdfast::services
