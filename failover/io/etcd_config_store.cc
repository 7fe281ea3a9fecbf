#include "failover/io/etcd_config_store.h"

#include <optional>

#include "base/check.h"
#include "failover/io/etcd_lease.h"
#include "failover/io/etcd_rows.h"
#include "failover/io/etcd_watch.h"

namespace holdfast::failover {

struct EtcdConfigStore::Parts {
  Parts(std::unique_ptr<EtcdClient> connected, const EtcdAddress& address, const EtcdOptions& options)
      : client(std::move(connected)), keys(address.prefix), lease(*client, options) {}
  Result<ConfigRows> range(const etcdserverpb::RangeRequest& request);

  std::unique_ptr<EtcdClient> client;
  EtcdKeys keys;
  EtcdLease lease;
  std::optional<EtcdWatch> watch;
};

Result<std::unique_ptr<EtcdConfigStore>> EtcdConfigStore::open(std::string_view text, const EtcdOptions& options) {
  auto address = parse_etcd_address(text);
  if (!address) return address.error();
  auto client = EtcdClient::make(*address, options);
  if (!client) return client.error();
  auto parts = std::make_unique<Parts>(std::move(*client), *address, options);
  return std::unique_ptr<EtcdConfigStore>(new EtcdConfigStore(std::move(parts)));
}

EtcdConfigStore::EtcdConfigStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
EtcdConfigStore::~EtcdConfigStore() = default;

Result<ConfigRows> EtcdConfigStore::Parts::range(const etcdserverpb::RangeRequest& request) {
  etcdserverpb::RangeResponse response;
  const Status answered = client->ask(
      [&](EtcdMember& member, grpc::ClientContext& context) { return member.kv->Range(&context, request, &response); });
  if (!answered) return answered.error();
  return rows_in(response, keys);
}

Result<ConfigRow> EtcdConfigStore::get(std::string_view key) {
  etcdserverpb::RangeRequest request;
  request.set_key(parts_->keys.key(key));
  auto rows = parts_->range(request);
  if (!rows) return rows.error();
  const auto found = rows->rows.find(std::string(key));
  if (found == rows->rows.end()) return ConfigRow{};
  return std::move(found->second);
}

Result<ConfigRows> EtcdConfigStore::list(std::string_view prefix) {
  etcdserverpb::RangeRequest request;
  request.set_key(parts_->keys.key(prefix));
  request.set_range_end(parts_->keys.end_of(prefix));
  return parts_->range(request);
}

Result<bool> EtcdConfigStore::transact(const Transaction& transaction) {
  for (bool last_try = false;; last_try = true) {
    std::int64_t lease = 0;
    if (!transaction.leased_puts.empty()) {
      auto current = parts_->lease.current();
      if (!current) return current.error();
      lease = *current;
    }
    const auto request = to_etcd(transaction, parts_->keys, lease, kOperationsMax);
    if (!request) return request.error();
    etcdserverpb::TxnResponse response;
    const Status answered = parts_->client->ask_once([&](EtcdMember& member, grpc::ClientContext& context) {
      return member.kv->Txn(&context, *request, &response);
    });
    if (answered) return response.succeeded();
    // That the lease is gone is a refusal: nothing was written, so it may be sent again, with another lease.
    const bool lease_gone = lease != 0 && answered.error().code == Errc::not_found;
    if (!lease_gone) return answered.error();
    parts_->lease.lost(lease);
    if (last_try) return Error{Errc::retry_later, answered.error().message};
  }
}

void EtcdConfigStore::watch(std::string_view prefix, std::function<void()> changed) {
  HF_CHECK(!parts_->watch, "one watch at a time");
  parts_->watch.emplace(*parts_->client, parts_->keys.key(prefix), parts_->keys.end_of(prefix), std::move(changed));
}

void EtcdConfigStore::unwatch() { parts_->watch.reset(); }

}  // namespace holdfast::failover
