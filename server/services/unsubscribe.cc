#include "server/services/unsubscribe.h"

#include <sodium.h>

#include <array>

#include "base/hash.h"
#include "server/chat/mail_key.h"

namespace holdfast::services {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kBytes = UserId::kBytes + kSecretBytes;
constexpr int kBase64Url = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::size_t kTextBytes = sodium_base64_ENCODED_LEN(kBytes, kBase64Url);  // with a zero at its end

std::string secret_of(const chat::MailKey& key, const UserId& user) {
  return key.secret("unsubscribe", *IntentId::from_bytes(user.bytes()));
}

Error none_of_ours() { return {Errc::not_found, "the link is none of ours"}; }

}  // namespace

std::string unsubscribe_token(const chat::MailKey& key, const UserId& user) {
  const std::string bytes = user.str() + secret_of(key, user);
  std::array<char, kTextBytes> text{};
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    kBase64Url);
  return text.data();
}

std::string unsubscribe_url(const std::string& base_url, const chat::MailKey& key, const UserId& user) {
  return base_url + "/unsubscribe?t=" + unsubscribe_token(key, user);
}

Result<UserId> unsubscriber(const chat::MailKey& key, std::string_view token) {
  std::array<unsigned char, kBytes> bytes{};
  std::size_t length = 0;
  const char* end = nullptr;
  const int bad =
      sodium_base642bin(bytes.data(), bytes.size(), token.data(), token.size(), nullptr, &length, &end, kBase64Url);
  if (bad != 0 || length != kBytes || end != token.data() + token.size()) return none_of_ours();
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const UserId user = *UserId::from_bytes(all.substr(0, UserId::kBytes));
  if (!equal_secret(all.substr(UserId::kBytes), secret_of(key, user))) return none_of_ours();
  return user;
}

Task<Status> unsubscribe(chat::Backend& backend, std::string token) {
  const Result<UserId> user = unsubscriber(backend.mail_key(), token);
  if (!user) co_return user.error();
  command::Command command;
  command.set_user(user->str());
  command.mutable_stop_mail();
  const PartitionId partition = partition_of(*user, backend.partitions());
  const command::Answer answer = co_await backend.asking(partition, std::move(command));
  if (!answer.frame().has_error()) co_return Ok{};
  if (answer.frame().error().code() == v1::NOT_FOUND) co_return none_of_ours();
  co_return Error{Errc::retry_later, answer.frame().error().message()};
}

}  // namespace holdfast::services
