/// The chat itself: puts client, input and screen together.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "net/task_group.h"
#include "tools/holdfast-chat/book.h"
#include "tools/holdfast-chat/input.h"
#include "tools/holdfast-chat/options.h"
#include "tools/holdfast-chat/screen.h"

namespace holdfast::chat {

using Words = std::vector<std::string>;

/// Owned by main, outlives the loop and thereby its coroutines. On the one thread.
///
/// run() reads lines and carries them out one after the other; beside it one task prints what arrives, in order, and
/// one does what is done every second (positions, "is typing", the time-out).
class Chat final : public client::ClientEvents {
 public:
  Chat(any_io_executor executor, Options options, Screen& screen, Input& input);

  /// From the log-in to the end; the exit code.
  Awaitable<int> run();

 private:
  friend struct CommandTable;

  // ---- chat.cc: begin and end
  Awaitable<bool> choose_session();
  Awaitable<std::string> choose_user();
  Awaitable<bool> choose_credentials();
  Awaitable<std::optional<std::string>> ask_line(std::string question, bool secret);
  Awaitable<bool> come_online();
  Awaitable<void> open_first();
  Awaitable<void> read_lines();
  Awaitable<void> finish();
  void end(int code);
  void end_when_enough();
  Awaitable<void> show_loop();
  Awaitable<void> tick_loop();
  Awaitable<void> watch_signals();

  // ---- chat_events.cc: what the client says
  void on_connected(const client::SessionInfo& session) override;
  void on_resumed(const client::SessionInfo& session) override;
  void on_moved(const client::Moved& moved) override;
  void on_reconnecting(const client::Reconnecting& reconnecting) override;
  void on_session_ended(const client::Failure& failure) override;
  void on_change(const v1::InboxItem& item) override;
  void on_head(const v1::InboxItem& item) override;
  void on_history_gap(const v1::HistoryGap& gap) override;
  void on_status_banner(const v1::StatusBanner& banner) override;
  void on_email_failing(const v1::EmailFailing& failing) override;
  void on_history_reset(const v1::HistoryReset& reset) override;
  void on_typing(const v1::TypingPush& typing) override;
  void on_presence(const v1::PresencePush& presence) override;
  void on_positions(const v1::PositionsPush& positions) override;
  void on_sent(const client::SendResult& result) override;
  void on_store_failed(const holdfast::Error& error) override;

  // ---- chat_show.cc: printing changes
  Awaitable<void> show_item(v1::InboxItem item);
  Awaitable<void> show_up_to(ConversationId id, std::uint64_t number);
  Awaitable<void> show_change(ConversationId id, v1::Change change, bool history);
  Awaitable<void> show_post(ConversationId id, v1::Change change, bool history);
  Awaitable<void> show_other(ConversationId id, v1::Change change, bool history);
  Awaitable<std::string> describe(v1::Change change);
  Awaitable<std::size_t> show_history(ConversationId id, std::uint64_t from, std::size_t count);
  std::string where_text(const ConversationId& id) const;
  boost::json::object base_fields(const ConversationId& id, const v1::Change& change, bool history) const;
  void note_read(const ConversationId& id, std::uint64_t number);
  void flush_marks();
  void update_prompt();

  // ---- chat_commands*.cc
  Awaitable<bool> run_line(std::string line);
  Awaitable<bool> send_text(std::string text, client::ask::PostOptions options);
  void report_sent(const std::string& body, const client::SendResult& result);
  /// Asks; prints the error or "done". False if refused.
  Awaitable<bool> simply(std::string command, v1::ClientFrame frame);
  bool fail(const std::string& command, const client::Failure& failure);
  bool fail(const std::string& command, const std::string& message);
  Awaitable<std::optional<UserId>> user_for(std::string command, std::string name);
  Awaitable<std::optional<std::vector<UserId>>> users_for(std::string command, Words names);
  Conversation* open_conversation(const std::string& command);
  Awaitable<bool> open_now(ConversationId id);

  Awaitable<bool> help(Words words, std::string rest);
  Awaitable<bool> list(Words words, std::string rest);
  Awaitable<bool> open(Words words, std::string rest);
  Awaitable<bool> make_group(Words words, std::string rest);
  Awaitable<bool> add(Words words, std::string rest);
  Awaitable<bool> remove(Words words, std::string rest);
  Awaitable<bool> leave(Words words, std::string rest);
  Awaitable<bool> rename(Words words, std::string rest);
  Awaitable<bool> role(Words words, std::string rest);
  Awaitable<bool> who(Words words, std::string rest);
  Awaitable<bool> edit(Words words, std::string rest);
  Awaitable<bool> delete_message(Words words, std::string rest);
  Awaitable<bool> reply(Words words, std::string rest);
  Awaitable<bool> react(Words words, std::string rest);
  Awaitable<bool> unreact(Words words, std::string rest);
  Awaitable<bool> history(Words words, std::string rest);
  Awaitable<bool> block(Words words, std::string rest);
  Awaitable<bool> unblock(Words words, std::string rest);
  Awaitable<bool> blocks(Words words, std::string rest);
  Awaitable<bool> mute(Words words, std::string rest);
  Awaitable<bool> unmute(Words words, std::string rest);
  Awaitable<bool> pin(Words words, std::string rest);
  Awaitable<bool> unpin(Words words, std::string rest);
  Awaitable<bool> me(Words words, std::string rest);
  Awaitable<bool> devices(Words words, std::string rest);
  Awaitable<bool> revoke(Words words, std::string rest);
  Awaitable<bool> password(Words words, std::string rest);
  Awaitable<bool> email(Words words, std::string rest);
  Awaitable<bool> mail(Words words, std::string rest);
  Awaitable<bool> log_out(Words words, std::string rest);
  Awaitable<bool> delete_account(Words words, std::string rest);
  Awaitable<bool> quit(Words words, std::string rest);
  Awaitable<bool> change_settings(std::string command, std::optional<bool> muted, std::optional<bool> pinned);
  Awaitable<bool> set_block(std::string command, Words words, bool blocked);
  Awaitable<bool> react_with(std::string command, Words words, bool removed);

  any_io_executor executor_;
  Options options_;
  Screen& screen_;
  Input& input_;
  client::ClientRuntime runtime_;
  client::ClientOptions client_options_;
  std::unique_ptr<client::FileSessionStore> store_;
  std::unique_ptr<client::Client> client_;
  std::unique_ptr<Book> book_;
  TaskGroup tasks_;
  boost::asio::signal_set signals_;

  Wake state_changed_;  ///< online, ended, outbox: for run()
  Wake arrived_;        ///< items_, for show_loop()
  Wake tick_;           ///< for tick_loop()
  std::deque<v1::InboxItem> items_;
  bool showing_ = false;  ///< show_loop() is at an item

  ConversationId open_;  ///< zero: none
  SteadyTime started_;
  bool was_online_ = false;
  bool away_ = false;  ///< "reconnecting" was said
  bool ended_ = false;
  bool leaving_ = false;  ///< we ended the session ourselves
  bool command_failed_ = false;
  int exit_code_ = kExitOk;
  std::size_t received_ = 0;                       ///< posts of others, for --wait
  std::map<ConversationId, std::uint64_t> marks_;  ///< read, not yet told
  std::map<std::string, SteadyTime> typing_;       ///< in the open conversation: who, until when
  SteadyTime typing_told_;
  std::map<std::string, bool> online_;  ///< by user id, as far as the server told
};

}  // namespace holdfast::chat
