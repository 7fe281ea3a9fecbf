#include "server/chat/mail_key.h"

#include <algorithm>
#include <cstring>

namespace holdfast::chat {
namespace {

constexpr std::string_view kEnd("\0", 1);

/// Of ASCII letters only: that is what mail addresses have.
std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

}  // namespace

MailKey MailKey::fresh(Random& random) {
  Hash32 key;
  random.fill(key);
  return MailKey(key);
}

Result<MailKey> MailKey::parse(std::string_view bytes) {
  Hash32 key;
  if (bytes.size() != key.size()) return Error{Errc::corrupt, "the mail key has 32 bytes"};
  std::memcpy(key.data(), bytes.data(), key.size());
  return MailKey(key);
}

std::string MailKey::secret(std::string_view purpose, const IntentId& intent) const {
  return std::string(as_bytes(mac_256(as_bytes(key_), {purpose, kEnd, intent.bytes()})));
}

std::string MailKey::address_hash(std::string_view address) const {
  const Hash32 hash = mac_256(as_bytes(key_), {"address", kEnd, lower_case(address)});
  return std::string(as_bytes(hash).substr(0, 16));
}

std::string secret_hash(std::string_view secret) { return std::string(as_bytes(blake2b_256({secret}))); }

}  // namespace holdfast::chat
