/// The clients of a run: users with devices, in pairs and small groups, who write to each other at a given rate whatever
/// happens, and write down everything they do and see.
///
/// Owned by CrowdThread; all calls on its one thread. Everything is recorded under the moment at which it was to be done
/// (open loop): a message that has to wait for its node is late by all of that time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "clients/cpp/client.h"
#include "net/asio.h"
#include "tools/holdfast-chaos/correspondence.h"
#include "tools/holdfast-chaos/history.h"
#include "tools/holdfast-chaos/visitors.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::chaos {

struct CrowdOptions {
  std::vector<client::Endpoint> endpoints;
  client::Trust trust;
  std::string operator_key_file;  ///< that all nodes believe, for making users
  std::uint32_t clients = 24;     ///< devices
  double rate = 200;              ///< messages a second, all together
  std::uint32_t body_bytes = 64;
  std::uint32_t listeners = 0;  ///< idle devices besides, each of a user of its own, in no conversation
  std::uint32_t readers = 0;    ///< users who get mail (H11)
  std::uint32_t visitors = 2;   ///< sessions at a time that come only to be ended (H9)
  std::uint64_t seed = 1;
  SteadyTime began;  ///< moment 0 of the history
};

class Crowd {
 public:
  Crowd(any_io_executor executor, CrowdOptions options);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Users, sessions, conversations. Fails with what went wrong.
  Awaitable<Status> prepare();
  /// Sends until stop().
  Awaitable<void> send();
  void stop() { sending_ = false; }
  /// Waits until everything is answered and shown; false if that takes longer.
  Awaitable<bool> settle(std::chrono::seconds max);
  /// Fresh clients read every conversation from its first change; ended sessions are tried once more.
  Awaitable<void> read_back();
  /// Those who get mail and stayed away come, and are shown what they missed.
  Awaitable<void> come_back();
  /// Leaves; what was not answered stays unknown.
  Awaitable<void> close();

  History& history() { return history_; }
  std::uint64_t acked() const { return acked_; }
  /// Of users, by the crowd's own sessions; for Visitors.
  client::Client& client_of(std::uint32_t user);
  Micros now() const;
  /// Where the devices are connected, one for each.
  std::vector<client::Endpoint> whereabouts() const;

 private:
  class Member;
  friend class Member;

  void lay_out();
  Awaitable<Status> connect_all();
  Awaitable<Status> open_all();
  void send_one(std::uint64_t turn, Micros planned);
  void read_one(std::uint32_t device, std::uint32_t conversation);
  void on_sent(std::uint64_t operation, const client::SendResult& result);
  Awaitable<void> read_conversation(client::Client* reader, std::uint32_t index);
  bool all_shown() const;
  load::Options provisioning() const;
  VisitorSettings visiting();
  CorrespondenceSettings corresponding() const;

  any_io_executor executor_;
  const CrowdOptions options_;
  client::ClientRuntime runtime_;
  SeededRandom random_;
  History history_;
  const std::string run_;                            ///< in the names of its users
  std::vector<std::string> users_;                   ///< names; those who only listen come last
  std::size_t talkers_ = 0;                          ///< of the users: who have conversations
  std::vector<load::ProvisionedUser> ids_;           ///< by device
  std::vector<std::vector<std::uint32_t>> writers_;  ///< devices that are not idle, by conversation
  std::vector<std::vector<std::uint32_t>> readers_;  ///< all of its devices, by conversation
  std::vector<ConversationId> conversations_;
  std::vector<std::uint64_t> newest_;              ///< acknowledged number, by conversation
  std::vector<std::vector<std::uint64_t>> shown_;  ///< highest number, by device and conversation
  std::vector<std::unique_ptr<Member>> members_;   ///< by device
  std::unique_ptr<Visitors> visitors_;
  std::unique_ptr<Correspondence> correspondence_;  ///< with readers
  std::string trouble_;                             ///< the last one, for messages
  bool opened_ = false;                             ///< all conversations have their ids
  bool sending_ = false;
  std::uint64_t acked_ = 0, answered_ = 0;
};

/// Hash of a change as it may never differ from another sight of it.
std::uint64_t content_of(const v1::Change& change);

}  // namespace holdfast::chaos
