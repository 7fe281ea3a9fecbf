/// Argon2id (RFC 9106) by libsodium, off the workers: what costs 40 ms and 19 MiB a time must neither stop a partition
/// nor fill the memory.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace holdfast::chat {

/// OWASP's minimum. A changed cost is for new hashes: each hash says its own.
struct PasswordCost {
  unsigned passes = 2;
  std::size_t memory_bytes = 19u << 20;
};

/// Thread-safe: constant after construction.
class PasswordHasher {
 public:
  explicit PasswordHasher(PasswordCost cost);  ///< takes as long as one hash
  /// libsodium's string: algorithm, cost, salt and hash. Errc::retry_later: no memory for it now.
  Result<std::string> hash(const std::string& password) const;
  /// An empty hash takes as long as any other and matches nothing: nobody learns by the clock who exists.
  bool verify(const std::string& hash, const std::string& password) const;

 private:
  PasswordCost cost_;
  std::string dummy_;  ///< of a password nobody has
};

/// Threads that run jobs from a bounded queue: as many at once as there are threads, which is the bound on memory too.
///
/// Thread-safe. A full queue refuses (Errc::retry_later); whoever asked says RETRY to the client. Destruction drops what
/// is queued, uncalled, and waits for what runs.
class PasswordPool {
 public:
  struct Options {
    std::size_t threads = 1;
    std::size_t queued_max = 256;
  };
  explicit PasswordPool(Options options);
  ~PasswordPool();
  PasswordPool(const PasswordPool&) = delete;
  PasswordPool& operator=(const PasswordPool&) = delete;

  /// `job` runs on a thread of the pool; it hands its result over to whoever asked by itself.
  Status submit(std::function<void()> job);
  struct Figures {
    std::size_t queued = 0, queued_max = 0;
    std::uint64_t refused = 0;  ///< since the start: the queue was full
  };
  Figures figures() const;

 private:
  void run();

  const std::size_t queued_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;  ///< under mutex_
  std::uint64_t refused_ = 0;                ///< under mutex_
  bool stopping_ = false;                    ///< under mutex_
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::chat
