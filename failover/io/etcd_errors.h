/// What became of a call to etcd that did not succeed.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>

#include "base/result.h"

namespace holdfast::failover {

struct EtcdFailure {
  enum class Kind : std::uint8_t {
    refused,      ///< etcd looked at it and did nothing, and would again
    not_done,     ///< nothing was done; another member, or the same a little later, may do it
    stale_token,  ///< nothing was done: the token of our login is no longer taken
    unknown,      ///< it may have been done, or may still be
  };
  Kind kind;
  Error error;  ///< names the cause and what to do
};

/// What a call's status means. Whatever is not known to be a refusal is `unknown`: a Txn that was taken for refused, and
/// is applied later, would break the union rule (FAILOVER 2.6).
EtcdFailure explain(const grpc::Status& status, const std::string& endpoint);

}  // namespace holdfast::failover
