/// How an operation of the client ended when it did not succeed.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "proto/client.pb.h"

namespace holdfast::client {

struct Failure {
  enum class Cause {
    refused,    ///< the server's answer is an error; `code` says which
    timed_out,  ///< no answer within the time given, over however many connections; may or may not have happened
    closed,     ///< the client was closed, or its session ended, before there was an answer
    full,       ///< the outbox or the table of requests is full: nothing was sent
    store,      ///< the session store could not be written: nothing was sent
  };
  Cause cause = Cause::refused;
  v1::ErrorCode code = v1::ERROR_UNSPECIFIED;
  std::string message;                       ///< for developers
  std::chrono::milliseconds retry_after{0};  ///< a minimum, 0: does not apply

  /// "NOT_FOUND: no such user", "timed out".
  std::string str() const;
};

/// What a request came to: a frame that is the answer, or a failure.
struct Reply {
  v1::ServerFrame frame;
  std::optional<Failure> failure;
  bool ok() const { return !failure; }
};

/// The same request may succeed later (RATE_LIMITED, RETRY, STORAGE_FULL, UNKNOWN_OUTCOME, INTERNAL).
bool is_transient(v1::ErrorCode code);
Failure refused(const v1::Error& error);
Failure failed(Failure::Cause cause, std::string message);

}  // namespace holdfast::client
