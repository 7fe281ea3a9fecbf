#include "tests/support/requests.h"

namespace holdfast::requests {

v1::ClientFrame open_direct(const UserId& user) {
  v1::ClientFrame frame;
  frame.mutable_open_direct()->set_user_id(user.str());
  return frame;
}

v1::ClientFrame create_group(const std::string& title, const std::vector<UserId>& members) {
  v1::ClientFrame frame;
  frame.mutable_create_group()->set_title(title);
  for (const UserId& member : members) frame.mutable_create_group()->add_members(member.str());
  return frame;
}

v1::ClientFrame post(const std::string& conversation, const std::string& body) {
  v1::ClientFrame frame;
  frame.mutable_post()->set_conversation_id(conversation);
  frame.mutable_post()->set_body(body);
  return frame;
}

v1::ClientFrame edit(const std::string& conversation, std::uint64_t number, const std::string& body) {
  v1::ClientFrame frame;
  frame.mutable_edit()->set_conversation_id(conversation);
  frame.mutable_edit()->set_number(number);
  frame.mutable_edit()->set_body(body);
  return frame;
}

v1::ClientFrame remove(const std::string& conversation, std::uint64_t number) {
  v1::ClientFrame frame;
  frame.mutable_delete_()->set_conversation_id(conversation);
  frame.mutable_delete_()->set_number(number);
  return frame;
}

v1::ClientFrame react(const std::string& conversation, std::uint64_t number, const std::string& reaction) {
  v1::ClientFrame frame;
  frame.mutable_react()->set_conversation_id(conversation);
  frame.mutable_react()->set_number(number);
  frame.mutable_react()->set_reaction(reaction);
  return frame;
}

v1::ClientFrame rename_group(const std::string& conversation, const std::string& title) {
  v1::ClientFrame frame;
  frame.mutable_rename_group()->set_conversation_id(conversation);
  frame.mutable_rename_group()->set_title(title);
  return frame;
}

v1::ClientFrame add_member(const std::string& conversation, const UserId& user) {
  v1::ClientFrame frame;
  frame.mutable_add_members()->set_conversation_id(conversation);
  frame.mutable_add_members()->add_members(user.str());
  return frame;
}

v1::ClientFrame remove_member(const std::string& conversation, const UserId& user) {
  v1::ClientFrame frame;
  frame.mutable_remove_member()->set_conversation_id(conversation);
  frame.mutable_remove_member()->set_user_id(user.str());
  return frame;
}

v1::ClientFrame leave(const std::string& conversation) {
  v1::ClientFrame frame;
  frame.mutable_leave()->set_conversation_id(conversation);
  return frame;
}

v1::ClientFrame set_role(const std::string& conversation, const UserId& user, v1::Role role) {
  v1::ClientFrame frame;
  frame.mutable_set_role()->set_conversation_id(conversation);
  frame.mutable_set_role()->set_user_id(user.str());
  frame.mutable_set_role()->set_role(role);
  return frame;
}

v1::ClientFrame mark(const std::string& conversation, std::uint64_t read) {
  v1::ClientFrame frame;
  frame.mutable_mark()->set_conversation_id(conversation);
  frame.mutable_mark()->set_delivered(read);
  frame.mutable_mark()->set_read(read);
  return frame;
}

v1::ClientFrame mute(const std::string& conversation, bool muted) {
  v1::ClientFrame frame;
  frame.mutable_set_conversation()->set_conversation_id(conversation);
  frame.mutable_set_conversation()->set_muted(muted);
  return frame;
}

v1::ClientFrame block(const UserId& user, bool blocked) {
  v1::ClientFrame frame;
  frame.mutable_block_user()->set_user_id(user.str());
  frame.mutable_block_user()->set_blocked(blocked);
  return frame;
}

v1::ClientFrame change_password(const std::string& from, const std::string& to) {
  v1::ClientFrame frame;
  frame.mutable_change_password()->set_old_password(from);
  frame.mutable_change_password()->set_new_password(to);
  return frame;
}

v1::ClientFrame delete_account(const std::string& password) {
  v1::ClientFrame frame;
  frame.mutable_delete_account()->set_password(password);
  return frame;
}

v1::ClientFrame revoke(const SessionId& session) {
  v1::ClientFrame frame;
  frame.mutable_revoke_device()->set_session_id(session.str());
  return frame;
}

v1::ClientFrame log_out() {
  v1::ClientFrame frame;
  frame.mutable_log_out();
  return frame;
}

v1::ClientFrame typing(const std::string& conversation) {
  v1::ClientFrame frame;
  frame.mutable_set_typing()->set_conversation_id(conversation);
  frame.mutable_set_typing()->set_typing(true);
  return frame;
}

v1::ClientFrame history(const std::string& conversation, std::uint64_t from, std::uint32_t limit) {
  v1::ClientFrame frame;
  frame.mutable_get_history()->set_conversation_id(conversation);
  frame.mutable_get_history()->set_from(from);
  frame.mutable_get_history()->set_limit(limit);
  return frame;
}

v1::ClientFrame list_conversations() {
  v1::ClientFrame frame;
  frame.mutable_list_conversations()->set_limit(100);
  return frame;
}

}  // namespace holdfast::requests
