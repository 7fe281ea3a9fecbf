/// What a front door needs of the node: partitions to ask, password hashing, keys, the time. One for each worker.
///
/// Thread: the worker's; every callback runs on it, later, never from within the call. A callback that is dropped
/// uncalled means the node is going down.
#pragma once

#include <functional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "proto/command.pb.h"
#include "server/chat/limits.h"

namespace holdfast::chat {

class MailKey;
class TokenKeys;

class Backend {
 public:
  virtual ~Backend() = default;

  /// Has the command decided by the partition's primary. The answer is the client's: a frame without request_id.
  virtual void ask(PartitionId partition, command::Command command, std::function<void(command::Answer)> then) = 0;

  /// Argon2id on the password pool. Errc::retry_later: its queue is full.
  virtual void hash_password(std::string password, std::function<void(Result<std::string>)> then) = 0;
  /// An empty hash costs the same time and never matches.
  virtual void verify_password(std::string hash, std::string password, std::function<void(Result<bool>)> then) = 0;

  virtual std::uint16_t partitions() const = 0;
  virtual const Limits& limits() const = 0;
  virtual const TokenKeys& token_keys() const = 0;
  virtual const MailKey& mail_key() const = 0;
  /// How often the data was restored from a backup, plus 1.
  virtual std::uint64_t generation() const { return 1; }
  /// Inbox positions from here on were given out in this generation only.
  virtual std::uint64_t first_position() const { return 1; }
  /// A new signing key, durable and known to every worker before `then`.
  virtual void rotate_token_key(std::function<void(Status)> then) = 0;
  /// One more request by somebody unknown that makes work for others (a mail): false where there were too many of late,
  /// over the whole node.
  virtual bool admit_stranger() { return true; }
  virtual WallTime now() const = 0;
  virtual Random& random() = 0;

  // The same for tasks.
  Awaited<command::Answer> asking(PartitionId partition, command::Command command) {
    return Awaited<command::Answer>([this, partition, command = std::move(command)](auto resume) mutable {
      ask(partition, std::move(command), std::move(resume));
    });
  }
  Awaited<Result<std::string>> hashing(std::string password) {
    return Awaited<Result<std::string>>([this, password = std::move(password)](auto resume) mutable {
      hash_password(std::move(password), std::move(resume));
    });
  }
  Awaited<Result<bool>> verifying(std::string hash, std::string password) {
    return Awaited<Result<bool>>([this, hash = std::move(hash), password = std::move(password)](auto resume) mutable {
      verify_password(std::move(hash), std::move(password), std::move(resume));
    });
  }
};

}  // namespace holdfast::chat
