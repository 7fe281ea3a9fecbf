/// A cluster without a network for tests of flows: real rules over one map for each partition, answers one after the
/// other from a queue, passwords that cost nothing.
#pragma once

#include <deque>
#include <memory>

#include "server/chat/flows.h"
#include "server/chat/mail_key.h"
#include "server/chat/tokens.h"
#include "tests/support/rule_fixture.h"

namespace holdfast::chat {

class FakeBackend : public Backend {
 public:
  explicit FakeBackend(std::uint16_t partitions = 4);

  void ask(PartitionId partition, command::Command command, std::function<void(command::Answer)> then) override;
  void hash_password(std::string password, std::function<void(Result<std::string>)> then) override;
  void verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) override;
  std::uint16_t partitions() const override { return static_cast<std::uint16_t>(partitions_.size()); }
  const Limits& limits() const override { return limits_; }
  const TokenKeys& token_keys() const override { return keys_; }
  const MailKey& mail_key() const override { return mail_key_; }
  /// The same for every partition.
  void set_limits(const Limits& limits);
  bool admit_stranger() override { return strangers_admitted > 0 && strangers_admitted-- > 0; }
  void rotate_token_key(std::function<void(Status)> then) override;
  std::uint64_t generation() const override { return restored.number; }
  std::uint64_t first_position() const override { return restored.first_position; }
  WallTime now() const override { return now_; }
  Random& random() override { return random_; }

  void advance(std::chrono::milliseconds by);
  /// Answers everything that is asked, and what is asked thereupon. With a bound: only so many, the rest is lost, as in
  /// a crash.
  void settle(std::size_t steps_max = 1'000'000);
  /// The partition of a user or a name.
  RuleFixture& home(const UserId& user) { return partition(partition_of(user, partitions())); }
  RuleFixture& partition(PartitionId id) { return *partitions_[id.value]; }

  /// Runs the request to its end.
  RequestOutcome run(const Caller& caller, v1::ClientFrame frame);
  RequestId fresh_id() { return make_uuid7(now_, random_); }

  std::vector<v1::ServerFrame> pushed;
  std::vector<std::string> verified_against;  ///< the hashes, also empty ones
  bool password_pool_full = false;
  std::size_t strangers_admitted = 1'000'000;
  struct {
    std::uint64_t number = 1, first_position = 1;
  } restored;

 protected:
  void later(std::function<void()> what) { queue_.push_back(std::move(what)); }

 private:
  Limits limits_;
  SeededRandom random_{7};
  WallTime now_ = from_ms(1'700'000'000'000);
  TokenKeys keys_ = TokenKeys::first(now_, random_);
  MailKey mail_key_ = MailKey::fresh(random_);
  std::vector<std::unique_ptr<RuleFixture>> partitions_;
  std::deque<std::function<void()>> queue_;
};

/// Requests as a client makes them, each with a fresh idempotency id.
v1::ClientFrame registration(FakeBackend& backend, const std::string& username, const std::string& password);
v1::ClientFrame login(FakeBackend& backend, const std::string& username, const std::string& password);
v1::ClientFrame resumption(const std::string& token, std::uint64_t cursor = 0);
/// Who a connection is after this outcome.
Caller caller_after(const RequestOutcome& outcome);
/// A new user, logged in.
struct Device {
  Caller caller;
  std::string token;
};
Device new_user(FakeBackend& backend, const std::string& username, const std::string& password = "correct horse");

}  // namespace holdfast::chat
