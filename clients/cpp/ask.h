/// The requests of the protocol as frames, for Client::request(). Pure; what comes back stands behind each.
/// Bounds and meanings: proto/client.proto.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "proto/client.pb.h"

namespace holdfast::client::ask {

using Frame = v1::ClientFrame;

// Accounts and sessions.
Frame change_password(std::string old_password, std::string new_password);  // Done
Frame set_email(std::string password, std::string email);                   // Done
Frame get_account();                                                        // AccountReply
Frame list_devices();                                                       // DevicesReply
Frame revoke_device(const SessionId& session);                              // Done
Frame delete_account(std::string password);                                 // Done, then the session ends
Frame request_password_reset(std::string username);                         // Done, whoever there is
Frame resend_verification();                                                // Done
Frame get_user(std::string username);                                       // UserReply
Frame get_user(const UserId& user);                                         // UserReply
Frame block_user(const UserId& user, bool blocked);                         // Done
Frame list_blocks();                                                        // BlocksReply
/// Done. Delay 0, language "": the server's.
Frame set_mail_settings(v1::MailMode mode, std::chrono::seconds delay, std::string language);
Frame get_mail_settings();  // MailSettingsReply

// Conversations.
Frame open_direct(const UserId& user);                                              // ConversationReply
Frame create_group(std::string title, const std::vector<UserId>& members);          // ConversationReply
Frame rename_group(const ConversationId& conversation, std::string title);          // ChangeReply
Frame add_members(const ConversationId& conversation, const std::vector<UserId>&);  // ChangeReply
Frame remove_member(const ConversationId& conversation, const UserId& user);        // ChangeReply
Frame leave(const ConversationId& conversation);                                    // ChangeReply
Frame set_role(const ConversationId& conversation, const UserId& user, v1::Role);   // ChangeReply
Frame list_members(const ConversationId& conversation, std::string_view after_user_id, std::uint32_t limit);
Frame list_conversations(std::string page_token, std::uint32_t limit);                // ConversationsReply
Frame set_conversation(const ConversationId& conversation, bool muted, bool pinned);  // Done

// Messages.
struct PostOptions {
  std::string content_type;    ///< empty: text/plain
  std::uint64_t reply_to = 0;  ///< 0: none
};
Frame post(const ConversationId& conversation, std::string body, PostOptions options = {});  // for Client::send()
Frame edit(const ConversationId& conversation, std::uint64_t number, std::string body);      // ChangeReply
Frame remove(const ConversationId& conversation, std::uint64_t number);                      // ChangeReply
Frame react(const ConversationId& conversation, std::uint64_t number, std::string reaction, bool removed = false);
struct Page {
  std::uint64_t from = 0;  ///< included; 0: the newest (backward) or 1
  bool backward = true;
  std::uint32_t limit = 50;
};
Frame history(const ConversationId& conversation, Page page);                                 // HistoryReply
Frame mark(const ConversationId& conversation, std::uint64_t delivered, std::uint64_t read);  // Done
Frame get_positions(const ConversationId& conversation, std::string_view after_user_id, std::uint32_t limit);
Frame set_typing(const ConversationId& conversation, bool typing);  // for Client::cast()
Frame watch_presence(const ConversationId& conversation);           // PresenceReply

// Operators.
/// ProvisionReply. `emails`: none, or one for each.
Frame provision_users(const std::vector<std::string>& usernames, std::string device_name,
                      const std::vector<std::string>& emails = {});
struct StatusChange {
  std::string username;
  v1::AccountStatus status = v1::ACTIVE;
  std::uint64_t suspended_for_s = 0;
  std::string reason;
};
Frame set_account_status(StatusChange change);                    // Done
Frame rotate_token_key();                                         // Done
Frame reset_password(std::string username, std::string reason);   // Done
Frame recover_account(std::string username, std::string reason);  // RecoveryReply
Frame delete_user(std::string username, std::string reason);      // Done

}  // namespace holdfast::client::ask
