/// The configuration store of several nodes: an etcd cluster.
///
/// Reads are linearizable and go to one member after another until one answers. A transaction is one request, sent once.
/// Rows in `leased_puts` hang on a lease of this store, which is granted with the first of them and kept alive on a
/// thread of its own; if it is lost (etcd could not be reached for longer than it lasts), the rows are gone, and the next
/// leased put makes a new one. A watch has another thread. All keys stand below the address's prefix.
///
/// Errors name the cause and what to do: permission_denied (login, role), storage_full, too_large (a value of 1.5 MiB
/// and more, unless etcd is configured otherwise), invalid_argument (more than kOperationsMax in a transaction: split it),
/// retry_later (no answer; nothing was written), outcome_unknown (transact() only).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "failover/config_store.h"
#include "failover/io/etcd_options.h"

namespace holdfast::failover {

class EtcdConfigStore final : public ConfigStore {
 public:
  /// What one transaction may compare, and what it may write: etcd's default bound.
  static constexpr std::size_t kOperationsMax = 128;

  /// `address` as in etcd_address.h. Does not connect yet: a call finds out whether etcd is there. Fails with
  /// invalid_argument (the address) or not_found (a file for TLS).
  static Result<std::unique_ptr<EtcdConfigStore>> open(std::string_view address, const EtcdOptions& options = {});
  /// No call may be under way. Ends the watch and, as the options say, revokes the lease (half a second at most).
  ~EtcdConfigStore() override;

  Result<ConfigRow> get(std::string_view key) override;
  Result<ConfigRows> list(std::string_view prefix) override;
  using ConfigStore::transact;
  Result<bool> transact(const Transaction& transaction) override;
  /// Also calls `changed` once at the beginning, and after each new connection.
  void watch(std::string_view prefix, std::function<void()> changed) override;
  void unwatch() override;

 private:
  struct Parts;
  explicit EtcdConfigStore(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast::failover
