/// Two users in a direct conversation: one writes, both are checked.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "clients/cpp/client.h"
#include "tools/holdfast-load/checker.h"
#include "tools/holdfast-load/figures.h"
#include "tools/holdfast-load/options.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::load {

/// Owned by Load, destroyed before the runtime and outside of callbacks; on the one thread. Options and figures outlive
/// it.
class Pair {
 public:
  Pair(client::ClientRuntime& runtime, const Options& options, Figures& figures, std::uint32_t index,
       ProvisionedUser sender, ProvisionedUser receiver);
  ~Pair();
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void connect();
  bool online() const;
  /// Opens the conversation; opened() says when that is done.
  void open();
  bool opened() const { return !conversation_.is_zero(); }
  /// What came before does not count as resumed.
  void connected_for_good();

  /// One message, which was to go at `planned`.
  void send(SteadyTime planned);
  /// From now on there are always options.ahead of them unanswered, until stop().
  void keep_sending();
  void stop() { sending_ = false; }

  bool settled() const { return checker_.settled() && checker_.unacknowledged() == 0; }
  void close();

  std::uint64_t resumed() const;
  std::uint64_t logins() const;
  Checker& checker() { return checker_; }
  /// Its two connections: where they are, how often they went on elsewhere.
  const client::Client& sender_client() const;
  const client::Client& receiver_client() const;
  const ConversationId& conversation() const { return conversation_; }
  std::uint32_t index() const { return index_; }
  const ProvisionedUser& sender() const { return sender_user_; }

  /// A change as the history has it.
  void seen_in_history(const v1::Change& change);

 private:
  class End;

  void on_sent(std::uint64_t sequence, const client::SendResult& result);
  void on_change(Checker::Place place, const v1::Change& change);
  std::optional<std::uint64_t> sequence_of(const v1::Change& change);

  const Options& options_;
  Figures& figures_;
  const std::uint32_t index_;
  const ProvisionedUser sender_user_;
  const ProvisionedUser receiver_user_;
  ConversationId conversation_;
  Checker checker_;
  bool sending_ = false;
  std::uint64_t resumes_at_start_ = 0;
  std::unique_ptr<End> sender_;
  std::unique_ptr<End> receiver_;
};

}  // namespace holdfast::load
