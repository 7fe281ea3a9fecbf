/// Cluster: the configuration store, asked on threads that may wait for it.
#include <charconv>

#include <spdlog/spdlog.h>

#include "server/cluster_impl.h"

namespace holdfast {
namespace {

using failover::Outcome;

Outcome outcome_of(const Result<bool>& done) {
  if (done) return *done ? Outcome::applied : Outcome::refused;
  return done.error().code == Errc::outcome_unknown ? Outcome::unknown : Outcome::refused;
}

}  // namespace

void Cluster::Impl::transact(failover::Submission submission) {
  asio::post(store_pool, [this, submission = std::move(submission)] {
    const auto done = store.transact(submission.transaction);
    if (!done) spdlog::warn("configuration_not_written why='{}'", done.error().message);
    post([this, ticket = submission.ticket, outcome = outcome_of(done)] {
      controller->transaction_done(ticket, outcome, steady_now());
      carry_out();
    });
  });
}

void Cluster::Impl::list() {
  asio::post(store_pool, [this] {
    auto rows = store.list("");
    if (!rows) spdlog::warn("configuration_not_read why='{}'", rows.error().message);
    post([this, rows = std::move(rows)] {
      if (rows) take_token_keys(*rows);
      if (rows) take_admin_addresses(*rows);
      rows ? controller->listed(*rows, steady_now()) : controller->list_failed(steady_now());
      keep_floor();
      carry_out();
    });
  });
}

/// A key that another node rotated in: what it signs is believed here as soon as it is known.
void Cluster::Impl::take_token_keys(const failover::ConfigRows& rows) {
  const auto row = rows.rows.find("keys/token");
  if (row == rows.rows.end() || row->second.revision == token_keys_revision) return;
  token_keys_revision = row->second.revision;
  auto keys = chat::TokenKeys::parse(row->second.value);
  if (keys)
    shared.keys->set(std::move(*keys));
  else
    spdlog::error("token_keys_unreadable why='{}'", keys.error().message);
}

/// `admin/<node>`: where operators reach it. Ours is written when it is not what it should be.
void Cluster::Impl::take_admin_addresses(const failover::ConfigRows& rows) {
  const std::string prefix = "admin/", own = prefix + std::to_string(shared.self.value);
  told.admin_addresses.clear();
  std::uint64_t revision = 0;
  for (auto at = rows.rows.lower_bound(prefix); at != rows.rows.end() && at->first.starts_with(prefix); ++at) {
    std::uint32_t node = 0;
    std::from_chars(at->first.data() + prefix.size(), at->first.data() + at->first.size(), node);
    told.admin_addresses[NodeId(node)] = at->second.value;
    if (at->first == own) revision = at->second.revision;
  }
  const bool as_it_should_be = told.admin_addresses[shared.self] == admin_address;
  if (as_it_should_be || std::exchange(telling_admin_address, true)) return;
  asio::post(store_pool, [this, own, revision, address = admin_address] {
    const auto done = store.transact({{own, revision}}, {{own, address}});
    if (!done) spdlog::warn("configuration_not_written key={} why='{}'", own, done.error().message);
    post([this] { telling_admin_address = false; });
  });
}

/// On disk, so that this node's next life believes nothing older. One write at a time.
void Cluster::Impl::keep_floor() {
  if (keeping_floor || !controller->view().listed() || controller->view().floor() == floor_kept) return;
  keeping_floor = true;
  asio::post(store_pool, [this, floor = controller->view().floor()] {
    const Status kept = failover::keep_store_floor(own_store, floor);
    if (!kept) spdlog::error("store_floor_not_kept why='{}'", kept.error().message);
    post([this, floor, done = static_cast<bool>(kept)] {
      keeping_floor = false;
      if (done) floor_kept = floor;
    });
  });
}

}  // namespace holdfast
