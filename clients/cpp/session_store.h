/// What a client must not forget when its process ends: its session, where it has read to, and what it has not sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::client {

struct SavedSession {
  std::string username;
  std::string user_id;     ///< 16 bytes
  std::string session_id;  ///< 16 bytes
  std::string token;       ///< secret
  std::uint64_t cursor = 0;
  /// Posts that were not acknowledged, in order: serialized v1.ClientFrame. One without a client_message_id was never
  /// tried.
  std::vector<std::string> outbox;
  std::vector<std::string> endpoints = {};  ///< host:port, as the server last named them, the best first
  std::uint64_t generation = 0;             ///< of the server's data, which `cursor` is a position in; 0: not known
};

/// Owned by the application, outlives the client; called on the client's thread, which waits for it.
class SessionStore {
 public:
  virtual ~SessionStore() = default;
  /// Nothing if there is no session. Fails with corrupt or io.
  virtual Result<std::optional<SavedSession>> load() = 0;
  /// Durable when it returns; what was saved before is replaced whole or not at all. Fails with io.
  virtual Status save(const SavedSession& session) = 0;
  /// The session has ended. Fails with io.
  virtual Status clear() = 0;
};

/// Forgets with the process: for tests, and for clients that only reconnect.
class MemorySessionStore final : public SessionStore {
 public:
  Result<std::optional<SavedSession>> load() override { return saved_; }
  Status save(const SavedSession& session) override {
    saved_ = session;
    return Ok{};
  }
  Status clear() override {
    saved_.reset();
    return Ok{};
  }

 private:
  std::optional<SavedSession> saved_;
};

/// One file, mode 0600, replaced by writing beside it, syncing and renaming.
///
///     file    = check frame *frame            ; frames as in proto/frame.h
///     check   = BLAKE2b-256 of what follows
///     1st     = v1.SessionReply               ; who, token, cursor, endpoints
///     others  = v1.ClientFrame                ; the outbox
///
/// Holds a lock on "<path>.lock" while it lives, so that two processes don't share a session's cursor.
class FileSessionStore final : public SessionStore {
 public:
  /// Makes the directory (mode 0700) if it is missing. Fails with in_use (another process has it) or io.
  static Result<std::unique_ptr<FileSessionStore>> open(std::string path);
  ~FileSessionStore() override;
  FileSessionStore(const FileSessionStore&) = delete;
  FileSessionStore& operator=(const FileSessionStore&) = delete;

  Result<std::optional<SavedSession>> load() override;
  Status save(const SavedSession& session) override;
  Status clear() override;

 private:
  FileSessionStore(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;
};

}  // namespace holdfast::client
