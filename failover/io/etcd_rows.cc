#include "failover/io/etcd_rows.h"

#include "base/check.h"

namespace holdfast::failover {
namespace {

void add_put(etcdserverpb::TxnRequest& request, std::string key, const std::string& value, std::int64_t lease) {
  auto& put = *request.add_success()->mutable_request_put();
  put.set_key(std::move(key));
  put.set_value(value);
  put.set_lease(lease);
}

void add_compare(etcdserverpb::TxnRequest& request, std::string key, std::uint64_t revision) {
  auto& compare = *request.add_compare();
  compare.set_result(etcdserverpb::Compare::EQUAL);
  compare.set_target(etcdserverpb::Compare::MOD);
  compare.set_key(std::move(key));
  compare.set_mod_revision(static_cast<std::int64_t>(revision));
}

}  // namespace

std::string EtcdKeys::end_of(std::string_view ours) const {
  std::string end = key(ours);  // never without a byte that can be raised: it begins with a slash
  while (static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  ++end.back();
  return end;
}

Result<std::string> EtcdKeys::ours(std::string_view key) const {
  if (!key.starts_with(root_)) return Error{Errc::corrupt, "etcd answered with a key that was not asked for"};
  return std::string(key.substr(root_.size()));
}

Result<ConfigRows> rows_in(const etcdserverpb::RangeResponse& response, const EtcdKeys& keys) {
  if (response.more()) return Error{Errc::corrupt, "etcd answered with fewer rows than were asked for"};
  if (response.header().revision() <= 0) return Error{Errc::corrupt, "etcd answered without a revision"};
  ConfigRows rows;
  rows.revision = static_cast<std::uint64_t>(response.header().revision());
  for (const auto& row : response.kvs()) {
    auto key = keys.ours(row.key());
    if (!key) return key.error();
    if (row.mod_revision() <= 0 || row.mod_revision() > response.header().revision())
      return Error{Errc::corrupt, "etcd answered with a row of an impossible revision: " + *key};
    rows.rows.emplace(std::move(*key), ConfigRow{row.value(), static_cast<std::uint64_t>(row.mod_revision())});
  }
  return rows;
}

Result<etcdserverpb::TxnRequest> to_etcd(const Transaction& transaction, const EtcdKeys& keys, std::int64_t lease,
                                         std::size_t operations_max) {
  HF_CHECK(transaction.leased_puts.empty() || lease != 0, "a leased row has a lease: with 0 it would stay for ever");
  const auto writes = transaction.puts.size() + transaction.leased_puts.size() + transaction.removes.size();
  if (transaction.compares.size() > operations_max || writes > operations_max)
    return Error{Errc::invalid_argument, "a transaction with more than " + std::to_string(operations_max) +
                                             " comparisons or writes must be split"};
  etcdserverpb::TxnRequest request;
  for (const Compare& compare : transaction.compares) add_compare(request, keys.key(compare.key), compare.revision);
  for (const auto& [key, value] : transaction.puts) add_put(request, keys.key(key), value, 0);
  for (const auto& [key, value] : transaction.leased_puts) add_put(request, keys.key(key), value, lease);
  for (const std::string& key : transaction.removes)
    request.add_success()->mutable_request_delete_range()->set_key(keys.key(key));
  return request;
}

}  // namespace holdfast::failover
