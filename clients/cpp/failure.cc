#include "clients/cpp/failure.h"

namespace holdfast::client {

std::string Failure::str() const {
  switch (cause) {
    case Cause::refused: return v1::ErrorCode_Name(code) + (message.empty() ? "" : ": " + message);
    case Cause::timed_out: return "timed out" + (message.empty() ? "" : ": " + message);
    case Cause::closed: return "closed" + (message.empty() ? "" : ": " + message);
    case Cause::full: return "full" + (message.empty() ? "" : ": " + message);
    case Cause::store: return "not stored" + (message.empty() ? "" : ": " + message);
  }
  return message;
}

bool is_transient(v1::ErrorCode code) {
  switch (code) {
    case v1::RATE_LIMITED:
    case v1::RETRY:
    case v1::STORAGE_FULL:
    case v1::UNKNOWN_OUTCOME:
    case v1::INTERNAL: return true;
    default: return false;
  }
}

Failure refused(const v1::Error& error) {
  // A server's wait is taken at its word up to an hour; more is a mistake of somebody's.
  const auto wait = std::min<std::uint64_t>(error.retry_after_ms(), 3'600'000);
  return {Failure::Cause::refused, error.code(), error.message(), std::chrono::milliseconds(wait)};
}

Failure failed(Failure::Cause cause, std::string message) {
  return {cause, v1::ERROR_UNSPECIFIED, std::move(message), std::chrono::milliseconds(0)};
}

}  // namespace holdfast::client
