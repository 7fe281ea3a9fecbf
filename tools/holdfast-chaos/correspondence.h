/// Letters to users who get mail (H11): authors write to readers, some of whom stay away while others come and go.
///
/// A reader who comes takes a connection with the session that it always had, is shown what it missed, and mostly acknowledges
/// that, with an answer, before it leaves: from then on no mail may be begun about it. Authors delete one letter in eight
/// within some seconds. One talk in six is muted by its reader from the beginning.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "clients/cpp/client.h"
#include "net/task_group.h"
#include "tools/holdfast-chaos/mail_history.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::chaos {

struct CorrespondenceSettings {
  load::Target target;  ///< every node's endpoint, and the operators' key
  std::string run;      ///< in the names of its users
  std::uint32_t readers = 6;
  std::function<std::int64_t()> now;
  std::uint64_t seed = 1;
};

/// Owned by Crowd; its one thread. `runtime` and `history` outlive it; end() before it is destroyed.
class Correspondence {
 public:
  Correspondence(client::ClientRuntime& runtime, CorrespondenceSettings settings, MailHistory& history);
  ~Correspondence();
  Correspondence(const Correspondence&) = delete;
  Correspondence& operator=(const Correspondence&) = delete;

  /// Users, talks, what is muted. Fails with what went wrong.
  Awaitable<Status> prepare();
  /// Letters are written, and readers come and go, until end().
  void begin();
  /// No more letters; returns when those who came have left and every letter is answered, or a minute is over.
  Awaitable<void> end();
  /// All readers, also those who stayed away: returns when they were shown everything, or half a minute is over.
  Awaitable<void> come_back();
  /// The authors leave.
  void close();

 private:
  class Author;
  class Device;
  struct Deletion {
    std::uint64_t letter;
    std::int64_t when;
  };

  Awaitable<Status> open_talk(std::uint32_t talk);
  Awaitable<Status> mute(std::uint32_t talk);
  Awaitable<void> write();
  void write_one(std::uint32_t talk);
  void on_sent(std::uint64_t letter, const client::SendResult& result);
  void delete_what_is_due();
  Awaitable<void> come_and_go(std::uint32_t reader);
  Awaitable<void> rest(std::uint64_t from_ms, std::uint64_t to_ms);
  bool all_answered() const { return answered_ == history_.letters.size(); }
  bool all_shown() const;
  Author& author_of(std::uint32_t talk);

  client::ClientRuntime& runtime_;
  const CorrespondenceSettings settings_;
  MailHistory& history_;
  SeededRandom random_;
  TaskGroup tasks_;
  std::vector<load::ProvisionedUser> author_users_, reader_users_;
  std::vector<std::unique_ptr<Author>> authors_;
  std::vector<ConversationId> talks_;     ///< as the history has them
  std::vector<std::uint64_t> positions_;  ///< of each reader's inbox: shown
  std::vector<Deletion> deletions_;       ///< to be asked for
  std::uint64_t answered_ = 0;
  bool ending_ = false;
};

}  // namespace holdfast::chaos
