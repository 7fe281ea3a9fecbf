// links: storage
// A key of the state is decoded without reading past its end, and what is decoded encodes to the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "storage/keys.h"

namespace holdfast {
namespace {

template <class IdType>
IdType id(std::string_view bytes) {
  const auto id = IdType::from_bytes(bytes);
  HF_CHECK(id.has_value(), "a decoded id has 16 bytes");
  return *id;
}

std::string encode(const keys::Decoded& key) {
  using keys::Family;
  const auto user = [](std::string_view bytes) { return id<UserId>(bytes); };
  const auto conversation = [](std::string_view bytes) { return id<ConversationId>(bytes); };
  const auto request = [](std::string_view bytes) { return id<RequestId>(bytes); };
  switch (key.family) {
    case Family::applied: return keys::applied();
    case Family::name: return keys::name(key.first);
    case Family::attempts: return keys::attempts(key.first);
    case Family::account: return keys::account(user(key.first));
    case Family::session: return keys::session(user(key.first), id<SessionId>(key.second));
    case Family::secrets: return keys::secrets(user(key.first));
    case Family::address: return keys::address(key.first);
    case Family::wave: return keys::wave(id<IntentId>(key.first));
    case Family::mailbox: return keys::mailbox(user(key.first));
    case Family::inbox: return keys::inbox(user(key.first), key.number);
    case Family::head: return keys::head(user(key.first), conversation(key.second));
    case Family::blocks: return keys::blocks(user(key.first));
    case Family::list: return keys::list(user(key.first), conversation(key.second));
    case Family::conversation: return keys::conversation(conversation(key.first));
    case Family::member: return keys::member(conversation(key.first), user(key.second));
    case Family::change: return keys::change(conversation(key.first), key.number);
    case Family::seen: return keys::seen(conversation(key.first), user(key.second));
    case Family::client_id: return keys::client_id(conversation(key.first), user(key.second), request(key.third));
    case Family::request: return keys::request(key.first, user(key.second), request(key.third));
    case Family::source: return keys::source(PartitionId(static_cast<std::uint16_t>(key.number)), key.first);
    case Family::cursor: return keys::cursor(key.first);
    case Family::due: return keys::due(key.number, key.first);
    case Family::intent: return keys::intent(user(key.first), id<IntentId>(key.second));
    case Family::mail_settings: return keys::mail_settings(user(key.first));
    case Family::missed: return keys::missed(user(key.first));
    case Family::reply: return keys::reply(key.first);
    case Family::answered: return keys::answered(user(key.first), key.second);
    case Family::audit: return keys::audit(key.number);
    case Family::audit_head: return keys::audit_head();
    case Family::audit_of: return keys::audit_of(user(key.first), key.number);
    case Family::incidents: return keys::incidents();
    case Family::incident: return keys::incident();
    case Family::lost: return keys::lost(user(key.first));
  }
  HF_CHECK(false, "decode() gave a family that is not in the grammar");
}

}  // namespace
}  // namespace holdfast

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string key(reinterpret_cast<const char*>(data), size);
  if (const auto decoded = holdfast::keys::decode(key)) {
    HF_CHECK(holdfast::encode(*decoded) == key, "a key encodes to what it was decoded from");
  }
  return 0;
}
