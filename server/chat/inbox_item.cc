#include "server/chat/inbox_item.h"

#include "proto/client.pb.h"

namespace holdfast::chat {

namespace {

constexpr int kVarint = 0;
constexpr int kLength = 2;

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}
void append_tag(std::string& out, int field, int wire) {
  append_varint(out, static_cast<std::uint64_t>(field << 3 | wire));
}
void append_bytes(std::string& out, int field, std::string_view bytes) {
  append_tag(out, field, kLength);
  append_varint(out, bytes.size());
  out.append(bytes);
}
void append_number(std::string& out, int field, std::uint64_t number) {
  append_tag(out, field, kVarint);
  append_varint(out, number);
}

std::string begin_item(std::string_view conversation, std::size_t content_bytes) {
  std::string item;
  item.reserve(conversation.size() + content_bytes + 16);
  append_bytes(item, v1::InboxItem::kConversationIdFieldNumber, conversation);
  return item;
}

}  // namespace

std::string item_of_change(std::string_view conversation, std::string_view change) {
  std::string item = begin_item(conversation, change.size());
  append_bytes(item, v1::InboxItem::kChangeFieldNumber, change);
  return item;
}

std::string item_of_reference(std::string_view conversation, std::uint64_t number, std::int64_t time_ms, bool is_post) {
  std::string item = begin_item(conversation, 0);
  append_number(item, v1::InboxItem::kReferenceFieldNumber, number);
  append_number(item, v1::InboxItem::kTimeMsFieldNumber, static_cast<std::uint64_t>(time_ms));
  if (is_post) append_number(item, v1::InboxItem::kIsPostFieldNumber, 1);
  return item;
}

std::string item_of_head(std::string_view conversation, std::uint64_t number) {
  std::string item = begin_item(conversation, 0);
  append_number(item, v1::InboxItem::kHeadFieldNumber, number);
  return item;
}

std::string with_position(std::uint64_t position, std::string_view item) {
  std::string whole;
  whole.reserve(item.size() + 12);
  append_number(whole, v1::InboxItem::kPositionFieldNumber, position);
  whole.append(item);
  return whole;
}

}  // namespace holdfast::chat
