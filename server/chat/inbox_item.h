/// v1.InboxItem, written by hand: the change inside is bytes already, and one item goes to up to a thousand inboxes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::chat {

/// Without a position. `change` is a serialized v1.Change.
std::string item_of_change(std::string_view conversation, std::string_view change);
std::string item_of_reference(std::string_view conversation, std::uint64_t number, std::int64_t time_ms, bool is_post);
std::string item_of_head(std::string_view conversation, std::uint64_t number);
/// The same item with its position.
std::string with_position(std::uint64_t position, std::string_view item);

}  // namespace holdfast::chat
