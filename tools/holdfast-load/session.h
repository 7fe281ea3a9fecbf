/// One session of a load: a client of the library, as an app would use it, and the conversations it looks at.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "tools/holdfast-load/talk.h"
#include "tools/holdfast-load/workplace.h"

namespace holdfast::load {

class Session;

/// What scenarios want to hear of their sessions. Called from within the client: nothing may be destroyed there.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  virtual void on_connection(Session&) {}
  virtual void on_online(Session&, bool resumed) { (void)resumed; }
  virtual void on_lost(Session&, const client::Reconnecting&) {}
  /// It was shown a message of the talk, for the first time.
  virtual void on_shown(Session&, const Talk&) {}
};

/// Owned by a scenario; destroyed before its workplace and talks, and outside of callbacks. A session that ends, an inbox
/// that lost rows and a damaged message are errors in the tally.
class Session final : public client::ClientEvents {
 public:
  Session(Workplace& place, SessionEvents& events, std::uint64_t index, client::Credentials credentials);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Before start(): the session outlives its client, see leave().
  void keep_for_return();
  /// Before start(): so many messages of a conversation may be unanswered at once, instead of one. A message that the
  /// server refuses for the moment may be overtaken then, which the ledger knows of.
  void send_ahead(std::size_t messages) { ahead_ = messages; }

  void start();
  /// The connection goes, the session stays: start() resumes it. After keep_for_return(), and with nothing unsent.
  void leave();
  bool started() const { return client_ != nullptr; }
  bool online() const { return client_ && client_->online(); }
  /// No callbacks any more; what is unanswered stays so.
  void close();

  /// From now on its changes of this conversation, from this number on, are the talk's. What came before is told now.
  void look_at(Talk& talk, std::size_t viewer, const ConversationId& conversation, std::uint64_t from_number = 1);

  std::uint64_t index() const { return index_; }
  /// Of a session that has been online.
  UserId user() const { return client_->session().user; }
  client::Client& client() { return *client_; }
  /// Counts the TLS handshake of its present connection, if there was one: tls_handshakes, and tls_resumed if it went on
  /// from the session's connection before.
  void count_handshake();
  std::uint64_t resumes() const { return resumes_before_ + (client_ ? client_->resumes() : 0); }

  void on_connection() override { events_.on_connection(*this); }
  void on_connected(const client::SessionInfo&) override { events_.on_online(*this, false); }
  void on_resumed(const client::SessionInfo&) override { events_.on_online(*this, true); }
  void on_reconnecting(const client::Reconnecting& why) override { events_.on_lost(*this, why); }
  void on_change(const v1::InboxItem& item) override;
  /// A large conversation has gone on: what is new is paged, as an app does that shows it.
  void on_head(const v1::InboxItem& item) override;
  void on_history_gap(const v1::HistoryGap&) override;
  void on_history_reset(const v1::HistoryReset&) override;
  void on_session_ended(const client::Failure& failure) override;

 private:
  struct View {
    ConversationId conversation;
    Talk* talk;
    std::size_t viewer;
    std::uint64_t next_number;  ///< changes before it are not looked at
    std::uint64_t head = 0;     ///< the newest that we have heard of, of a large conversation
    bool begun = false;         ///< one of them came
    bool paging = false;
  };
  static constexpr std::size_t kEarlyMax = 1'000;

  client::ClientOptions client_options() const;
  View* view_of(const std::string& conversation_id);
  void tell(View& view, const v1::Change& change);
  void page(View& view);

  Workplace& place_;
  SessionEvents& events_;
  const std::uint64_t index_;
  client::Credentials credentials_;
  std::size_t ahead_ = 1;
  std::uint64_t resumes_before_ = 0;
  std::unique_ptr<client::MemorySessionStore> store_;
  std::shared_ptr<ClientTickets> tickets_;  ///< its own, as an app's device has them: the latest, or none
  std::vector<View> views_;
  std::vector<v1::InboxItem> early_;  ///< of conversations that nobody has asked us to look at yet; kEarlyMax at most
  std::unique_ptr<client::Client> client_;  // last: it may call us from its destructor
};

/// Sessions connect some at a time, so that preparing is no storm. Those that are not all online within five minutes are
/// an error that says how many are missing.
Awaitable<Status> connect_all(Workplace* place, std::vector<Session*> sessions);
/// A session for each of the names, made by the operator's key, with the token's credentials.
Awaitable<Result<std::vector<std::unique_ptr<Session>>>> make_sessions(Workplace* place, SessionEvents* events,
                                                                       std::uint64_t first_index,
                                                                       std::vector<std::string> names);

}  // namespace holdfast::load
