#include "clients/cpp/ask.h"

#include <utility>

namespace holdfast::client::ask {

Frame change_password(std::string old_password, std::string new_password) {
  Frame frame;
  frame.mutable_change_password()->set_old_password(std::move(old_password));
  frame.mutable_change_password()->set_new_password(std::move(new_password));
  return frame;
}

Frame set_email(std::string password, std::string email) {
  Frame frame;
  frame.mutable_set_email()->set_password(std::move(password));
  frame.mutable_set_email()->set_email(std::move(email));
  return frame;
}

Frame get_account() {
  Frame frame;
  frame.mutable_get_account();
  return frame;
}

Frame list_devices() {
  Frame frame;
  frame.mutable_list_devices();
  return frame;
}

Frame revoke_device(const SessionId& session) {
  Frame frame;
  frame.mutable_revoke_device()->set_session_id(session.str());
  return frame;
}

Frame delete_account(std::string password) {
  Frame frame;
  frame.mutable_delete_account()->set_password(std::move(password));
  return frame;
}

Frame get_user(std::string username) {
  Frame frame;
  frame.mutable_get_user()->set_username(std::move(username));
  return frame;
}

Frame get_user(const UserId& user) {
  Frame frame;
  frame.mutable_get_user()->set_user_id(user.str());
  return frame;
}

Frame block_user(const UserId& user, bool blocked) {
  Frame frame;
  frame.mutable_block_user()->set_user_id(user.str());
  frame.mutable_block_user()->set_blocked(blocked);
  return frame;
}

Frame list_blocks() {
  Frame frame;
  frame.mutable_list_blocks();
  return frame;
}

Frame set_mail_settings(v1::MailMode mode, std::chrono::seconds delay, std::string language) {
  Frame frame;
  v1::SetMailSettings& settings = *frame.mutable_set_mail_settings();
  settings.set_mode(mode);
  settings.set_delay_s(static_cast<std::uint64_t>(delay.count()));
  settings.set_language(std::move(language));
  return frame;
}

Frame get_mail_settings() {
  Frame frame;
  frame.mutable_get_mail_settings();
  return frame;
}

Frame open_direct(const UserId& user) {
  Frame frame;
  frame.mutable_open_direct()->set_user_id(user.str());
  return frame;
}

Frame create_group(std::string title, const std::vector<UserId>& members) {
  Frame frame;
  frame.mutable_create_group()->set_title(std::move(title));
  for (const auto& member : members) frame.mutable_create_group()->add_members(member.str());
  return frame;
}

Frame rename_group(const ConversationId& conversation, std::string title) {
  Frame frame;
  frame.mutable_rename_group()->set_conversation_id(conversation.str());
  frame.mutable_rename_group()->set_title(std::move(title));
  return frame;
}

Frame add_members(const ConversationId& conversation, const std::vector<UserId>& members) {
  Frame frame;
  frame.mutable_add_members()->set_conversation_id(conversation.str());
  for (const auto& member : members) frame.mutable_add_members()->add_members(member.str());
  return frame;
}

Frame remove_member(const ConversationId& conversation, const UserId& user) {
  Frame frame;
  frame.mutable_remove_member()->set_conversation_id(conversation.str());
  frame.mutable_remove_member()->set_user_id(user.str());
  return frame;
}

Frame leave(const ConversationId& conversation) {
  Frame frame;
  frame.mutable_leave()->set_conversation_id(conversation.str());
  return frame;
}

Frame set_role(const ConversationId& conversation, const UserId& user, v1::Role role) {
  Frame frame;
  frame.mutable_set_role()->set_conversation_id(conversation.str());
  frame.mutable_set_role()->set_user_id(user.str());
  frame.mutable_set_role()->set_role(role);
  return frame;
}

Frame list_members(const ConversationId& conversation, std::string_view after_user_id, std::uint32_t limit) {
  Frame frame;
  frame.mutable_list_members()->set_conversation_id(conversation.str());
  frame.mutable_list_members()->set_after_user_id(std::string(after_user_id));
  frame.mutable_list_members()->set_limit(limit);
  return frame;
}

Frame list_conversations(std::string page_token, std::uint32_t limit) {
  Frame frame;
  frame.mutable_list_conversations()->set_page_token(std::move(page_token));
  frame.mutable_list_conversations()->set_limit(limit);
  return frame;
}

Frame set_conversation(const ConversationId& conversation, bool muted, bool pinned) {
  Frame frame;
  frame.mutable_set_conversation()->set_conversation_id(conversation.str());
  frame.mutable_set_conversation()->set_muted(muted);
  frame.mutable_set_conversation()->set_pinned(pinned);
  return frame;
}

Frame post(const ConversationId& conversation, std::string body, PostOptions options) {
  Frame frame;
  auto& post = *frame.mutable_post();
  post.set_conversation_id(conversation.str());
  post.set_content_type(std::move(options.content_type));
  post.set_body(std::move(body));
  post.set_reply_to(options.reply_to);
  return frame;
}

Frame edit(const ConversationId& conversation, std::uint64_t number, std::string body) {
  Frame frame;
  frame.mutable_edit()->set_conversation_id(conversation.str());
  frame.mutable_edit()->set_number(number);
  frame.mutable_edit()->set_body(std::move(body));
  return frame;
}

Frame remove(const ConversationId& conversation, std::uint64_t number) {
  Frame frame;
  frame.mutable_delete_()->set_conversation_id(conversation.str());
  frame.mutable_delete_()->set_number(number);
  return frame;
}

Frame react(const ConversationId& conversation, std::uint64_t number, std::string reaction, bool removed) {
  Frame frame;
  auto& react = *frame.mutable_react();
  react.set_conversation_id(conversation.str());
  react.set_number(number);
  react.set_reaction(std::move(reaction));
  react.set_remove(removed);
  return frame;
}

Frame history(const ConversationId& conversation, Page page) {
  Frame frame;
  auto& history = *frame.mutable_get_history();
  history.set_conversation_id(conversation.str());
  history.set_from(page.from);
  history.set_backward(page.backward);
  history.set_limit(page.limit);
  return frame;
}

Frame mark(const ConversationId& conversation, std::uint64_t delivered, std::uint64_t read) {
  Frame frame;
  auto& mark = *frame.mutable_mark();
  mark.set_conversation_id(conversation.str());
  mark.set_delivered(delivered);
  mark.set_read(read);
  return frame;
}

Frame get_positions(const ConversationId& conversation, std::string_view after_user_id, std::uint32_t limit) {
  Frame frame;
  frame.mutable_get_positions()->set_conversation_id(conversation.str());
  frame.mutable_get_positions()->set_after_user_id(std::string(after_user_id));
  frame.mutable_get_positions()->set_limit(limit);
  return frame;
}

Frame set_typing(const ConversationId& conversation, bool typing) {
  Frame frame;
  frame.mutable_set_typing()->set_conversation_id(conversation.str());
  frame.mutable_set_typing()->set_typing(typing);
  return frame;
}

Frame watch_presence(const ConversationId& conversation) {
  Frame frame;
  frame.mutable_watch_presence()->set_conversation_id(conversation.str());
  return frame;
}

Frame provision_users(const std::vector<std::string>& usernames, std::string device_name,
                      const std::vector<std::string>& emails) {
  Frame frame;
  for (const auto& name : usernames) frame.mutable_provision_users()->add_usernames(name);
  for (const auto& email : emails) frame.mutable_provision_users()->add_emails(email);
  frame.mutable_provision_users()->set_device_name(std::move(device_name));
  return frame;
}

Frame set_account_status(StatusChange change) {
  Frame frame;
  auto& set = *frame.mutable_set_account_status();
  set.set_username(std::move(change.username));
  set.set_status(change.status);
  set.set_suspended_for_s(change.suspended_for_s);
  set.set_reason(std::move(change.reason));
  return frame;
}

Frame request_password_reset(std::string username) {
  Frame frame;
  frame.mutable_request_password_reset()->set_username(std::move(username));
  return frame;
}

Frame resend_verification() {
  Frame frame;
  frame.mutable_resend_verification();
  return frame;
}

Frame reset_password(std::string username, std::string reason) {
  Frame frame;
  frame.mutable_reset_password()->set_username(std::move(username));
  frame.mutable_reset_password()->set_reason(std::move(reason));
  return frame;
}

Frame recover_account(std::string username, std::string reason) {
  Frame frame;
  frame.mutable_recover_account()->set_username(std::move(username));
  frame.mutable_recover_account()->set_reason(std::move(reason));
  return frame;
}

Frame delete_user(std::string username, std::string reason) {
  Frame frame;
  frame.mutable_delete_user()->set_username(std::move(username));
  frame.mutable_delete_user()->set_reason(std::move(reason));
  return frame;
}

Frame rotate_token_key() {
  Frame frame;
  frame.mutable_rotate_token_key();
  return frame;
}

}  // namespace holdfast::client::ask
