#include "server/mail/message_id.h"

#include "base/hash.h"
#include "server/mail/address.h"

namespace holdfast::mail {
namespace {
constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kLeftBytesMax = 2 * kIdBytesMax;
}  // namespace

Result<MessageId> MessageId::parse(std::string_view text) {
  const Error wrong{Errc::invalid_argument, "a Message-ID is <left@domain> with dot-atoms on both sides"};
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || !text.starts_with('<') || !text.ends_with('>')) return wrong;
  const auto left = text.substr(1, at - 1);
  const auto domain = text.substr(at + 1, text.size() - at - 2);
  if (left.size() > kLeftBytesMax || !is_dot_atom(left) || !check_domain(domain)) return wrong;
  return MessageId(std::string(text));
}

MessageId message_id_of(std::string_view id, std::string_view domain) {
  HF_CHECK(!id.empty() && id.size() <= kIdBytesMax, "a Message-ID is made of 1 to 64 bytes");
  HF_CHECK(bool(check_domain(domain)), "the domain of Message-IDs was checked");
  return MessageId("<" + to_hex(id) + "@" + std::string(domain) + ">");
}

}  // namespace holdfast::mail
