/// Between our keys, rows and transactions and those of etcd. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "failover/config_store.h"
#include "proto/etcd.pb.h"

namespace holdfast::failover {

/// Where the keys of one address's prefix stand: "/<prefix>/".
class EtcdKeys {
 public:
  explicit EtcdKeys(std::string_view prefix) : root_("/" + std::string(prefix) + "/") {}
  std::string key(std::string_view ours) const { return root_ + std::string(ours); }
  /// The first key behind all that begin so.
  std::string end_of(std::string_view ours) const;
  /// Ours. Fails with corrupt for a key that is not below the prefix.
  Result<std::string> ours(std::string_view key) const;

 private:
  std::string root_;
};

/// Fails with corrupt if the answer has other rows than were asked for.
Result<ConfigRows> rows_in(const etcdserverpb::RangeResponse& response, const EtcdKeys& keys);

/// `lease`: of the leased puts, 0 if there are none. Fails with invalid_argument if there are more operations than
/// `operations_max`.
Result<etcdserverpb::TxnRequest> to_etcd(const Transaction& transaction, const EtcdKeys& keys, std::int64_t lease,
                                         std::size_t operations_max);

}  // namespace holdfast::failover
