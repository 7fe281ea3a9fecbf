/// The conversation a command is about, and where its caller stands in it: what most rules begin with.
///
/// Values, good for one run of a rule. Invariant: a group's Conversation.owner and admins agree with the roles in its
/// member rows; `members` counts the rows whose last interval is open.
#pragma once

#include <optional>
#include <string_view>

#include "proto/state.pb.h"
#include "server/chat/rules.h"

namespace holdfast::chat {

struct Standing {
  ConversationId id;
  UserId user;
  state::Conversation conversation;
  state::MemberRow member;  ///< groups: the caller's row
  int peer = 0;             ///< direct: which of the two the caller is

  bool direct() const { return conversation.kind() == v1::DIRECT; }
  /// Whether the caller has the right to what happened at this number.
  bool covers(std::uint64_t number) const;
  v1::Role role() const { return direct() ? v1::MEMBER : member.role(); }
};

/// Who may go on.
enum class Need {
  member,  ///< present members
  reader,  ///< those who have left too
  group,   ///< present members of a group
  admin,   ///< a group's admins and its owner
  owner,   ///< a group's owner
};

/// Refuses, and gives nothing: INVALID_ARGUMENT for an id of the wrong length, NOT_FOUND if there is no such
/// conversation or the caller never was in it, PERMISSION_DENIED for who has left or lacks the role,
/// PRECONDITION_FAILED for a direct conversation where a group is needed.
std::optional<Standing> find_standing(const command::Command& command, std::string_view conversation_id, Need need,
                                      View& view, Draft& draft);

inline bool is_present(const state::MemberRow& row) {
  return row.intervals_size() > 0 && row.intervals(row.intervals_size() - 1).left() == 0;
}

/// The id, or INVALID_ARGUMENT naming the field.
template <class IdType>
std::optional<IdType> take_id(std::string_view bytes, const char* field, Draft& draft) {
  std::optional<IdType> id = IdType::from_bytes(bytes);
  if (!id) draft.refuse(v1::INVALID_ARGUMENT, std::string(field) + " has 16 bytes");
  return id;
}

/// A page's limit: 1 to `max`, or INVALID_ARGUMENT (0) or TOO_LARGE, naming the bound.
bool check_page(std::uint32_t limit, std::size_t max, Draft& draft);

/// Where a page by user id begins, as the end of a key: right after that user, or at the first for an empty id.
/// INVALID_ARGUMENT for another length.
std::optional<std::string> take_page_start(std::string_view after_user_id, Draft& draft);

/// Who asks. A command without a caller where one is needed is a bug.
UserId caller_of(const command::Command& command);

}  // namespace holdfast::chat
