#include "failover/io/etcd_errors.h"

#include <array>
#include <string_view>

namespace holdfast::failover {
namespace {

using Kind = EtcdFailure::Kind;

struct Known {
  std::string_view part;  ///< of etcd's message
  Kind kind;
  Errc code;
  std::string_view meaning;
};

// etcd's messages (api/v3rpc/rpctypes), of refusals that are given before a request is proposed or instead of applying it.
constexpr std::array kKnown = {
    Known{"no leader", Kind::not_done, Errc::retry_later, "it has no leader: a majority of its members must be up"},
    Known{"too many requests", Kind::not_done, Errc::retry_later, "it is overloaded"},
    Known{"invalid auth token", Kind::stale_token, Errc::permission_denied, "our login is no longer valid"},
    Known{"revision of auth store is old", Kind::stale_token, Errc::permission_denied, "its users were changed"},
    Known{"authentication failed", Kind::refused, Errc::permission_denied,
          "wrong user or password: correct user:password@ in etcd's address"},
    Known{"user name is empty", Kind::refused, Errc::permission_denied,
          "it asks for a login: put user:password@ into etcd's address"},
    Known{"permission denied", Kind::refused, Errc::permission_denied,
          "its user may not read and write our keys: etcdctl role grant-permission ROLE --prefix=true readwrite "
          "/PREFIX/"},
    Known{"database space exceeded", Kind::refused, Errc::storage_full,
          "etcd is full: compact and defragment it or raise its --quota-backend-bytes, then etcdctl alarm disarm"},
    Known{"request is too large", Kind::refused, Errc::too_large,
          "larger than its --max-request-bytes, by default 1.5 MiB"},
    Known{"message larger than max", Kind::refused, Errc::too_large,
          "larger than its --max-request-bytes, by default 1.5 MiB"},
    Known{"too many operations", Kind::refused, Errc::invalid_argument, "more than its --max-txn-ops, by default 128"},
    Known{"duplicate key", Kind::refused, Errc::invalid_argument, "a transaction writes a key twice"},
    Known{"lease not found", Kind::refused, Errc::not_found, "our lease is gone"},
    Known{"corrupt", Kind::refused, Errc::corrupt, "its members disagree about their data: an operator must repair it"},
};

/// Codes that a server gives instead of doing something. The others also stand for a broken connection or a time-out.
bool is_refusal(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::INVALID_ARGUMENT:
    case grpc::StatusCode::NOT_FOUND:
    case grpc::StatusCode::ALREADY_EXISTS:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::FAILED_PRECONDITION:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::DATA_LOSS: return true;
    default: return false;
  }
}

/// gRPC's own words (with retries disabled) for a call that was never given to a connection.
bool was_never_sent(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE &&
         status.error_message().starts_with("failed to connect to all addresses");
}

/// The one refusal with a code that may also mean anything: from etcd's check before the request is looked at, which our
/// metadata ask for.
bool has_no_leader(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_message() == "etcdserver: no leader";
}

}  // namespace

EtcdFailure explain(const grpc::Status& status, const std::string& endpoint) {
  const std::string said = "etcd at " + endpoint + ": " + status.error_message();
  if (was_never_sent(status)) return {Kind::not_done, {Errc::retry_later, said}};
  if (is_refusal(status.error_code()) || has_no_leader(status)) {
    for (const Known& known : kKnown) {
      if (status.error_message().find(known.part) != std::string::npos)
        return {known.kind, {known.code, said + " (" + std::string(known.meaning) + ")"}};
    }
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED)
      return {Kind::refused, {Errc::unsupported, said + " (Holdfast needs etcd 3.4 or later)"}};
    return {Kind::refused, {Errc::invalid_argument, said}};
  }
  const bool slow = status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED ||
                    status.error_message().find("request timed out") != std::string::npos;
  const char* advice =
      slow ? " (it answers too slowly: its disk, or the network to it; look at wal_fsync and backend_commit in its "
             "metrics)"
           : "";
  return {Kind::unknown, {Errc::outcome_unknown, said + advice}};
}

}  // namespace holdfast::failover
