/// People who chat through the client library against a running server, or several, all in one loop in one thread.
///
/// For tests only: what isn't so within 20 s of the loop's turning fails the test.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/client.h"
#include "tests/support/process.h"

namespace holdfast::testing {

enum class Over : std::uint8_t { plain, tls, websocket, websocket_tls };

class Stage {
 public:
  explicit Stage(ServerProcess& server);
  /// Before several servers; `logs` is what is shown when something does not happen.
  Stage(std::vector<std::uint16_t> ports, std::function<std::string()> logs);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  client::ClientRuntime& runtime() { return runtime_; }
  /// Turns the loop until it is so.
  void until(const char* what, const std::function<bool()>& is_so);
  client::ClientOptions options(Over over) const;

 private:
  const std::vector<std::uint16_t> ports_;
  const std::function<std::string()> logs_;
  std::filesystem::path certificate_;  ///< empty: none of these servers is reached over TLS
  boost::asio::io_context io_;
  client::ClientRuntime runtime_;
};

/// One device of one user. What comes in is kept, and checked on the way: per conversation the numbers 1, 2, 3 … from
/// the first on, each once.
class Person final : public client::ClientEvents {
 public:
  /// Registers a new user and waits until it is there.
  Person(Stage& stage, const std::string& username, Over over = Over::plain);
  /// The same user on another device.
  struct Device {
    client::Credentials credentials;
    Over over = Over::plain;
    std::size_t sends_ahead = 1;
    std::uint16_t port = 0;  ///< the only server it knows until it is told of others; 0: it knows all
    std::optional<client::SavedSession> saved = {};  ///< goes on with this session
  };
  Person(Stage& stage, const std::string& username, const Device& device);
  ~Person() override;

  client::Client& client() { return *client_; }
  UserId id() const { return client_->session().user; }
  const std::string& name() const { return name_; }

  /// Asks, waits, and has the answer.
  v1::ServerFrame ask(v1::ClientFrame frame);
  /// The same, and it is refused.
  v1::ErrorCode refused(v1::ClientFrame frame);
  /// Sends and waits for its number.
  std::uint64_t say(const ConversationId& conversation, const std::string& body);
  /// Sends without waiting; acknowledged() counts.
  void mutter(const ConversationId& conversation, const std::string& body);
  std::size_t acknowledged() const { return acknowledged_; }
  ConversationId direct_with(const Person& other);

  /// Waits until the conversation has come this far, and gives the change of that number.
  const v1::Change& hears(const ConversationId& conversation, std::uint64_t number);
  std::uint64_t newest(const ConversationId& conversation) const;
  const std::map<std::uint64_t, v1::Change>& changes(const ConversationId& conversation) {
    return changes_[conversation];
  }
  /// Bodies of the posts by `author`, in order.
  std::vector<std::string> said_by(const ConversationId& conversation, const UserId& author);

  bool ended() const { return ended_.has_value(); }
  const std::optional<client::Failure>& ending() const { return ended_; }
  client::MemorySessionStore& store() { return store_; }

  std::vector<v1::TypingPush> typing;
  std::map<std::string, bool> online;  ///< by user id
  std::vector<v1::PositionsPush> positions;
  std::vector<v1::InboxItem> heads;
  std::vector<v1::HistoryGap> gaps;
  std::vector<v1::HistoryReset> resets;  ///< with each of them what had come before was forgotten

  static constexpr const char* kPassword = "correct horse battery";

 private:
  void on_change(const v1::InboxItem& item) override;
  void on_head(const v1::InboxItem& item) override { heads.push_back(item); }
  void on_history_gap(const v1::HistoryGap& gap) override { gaps.push_back(gap); }
  void on_history_reset(const v1::HistoryReset& reset) override {
    resets.push_back(reset);
    changes_.clear();
  }
  void on_typing(const v1::TypingPush& push) override { typing.push_back(push); }
  void on_presence(const v1::PresencePush& push) override { online[push.user().user_id()] = push.user().online(); }
  void on_positions(const v1::PositionsPush& push) override { positions.push_back(push); }
  void on_session_ended(const client::Failure& failure) override { ended_ = failure; }
  client::Reply reply_to(v1::ClientFrame frame);

  Stage& stage_;
  std::string name_;
  client::MemorySessionStore store_;
  std::map<ConversationId, std::map<std::uint64_t, v1::Change>> changes_;
  std::optional<client::Failure> ended_;
  std::size_t acknowledged_ = 0;
  std::uint64_t last_position_ = 0;
  std::unique_ptr<client::Client> client_;
};

}  // namespace holdfast::testing
