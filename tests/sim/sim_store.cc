#include "tests/sim/sim_store.h"

namespace holdfast::sim {
namespace {

using failover::Outcome;

constexpr Millis kLease{2000};
constexpr Micros kLeast{300}, kMost{4000};  // of one way, with a sync at its end

}  // namespace

bool SimStore::apply(const Lease& lease, const failover::Transaction& transaction) {
  for (const failover::Compare& compare : transaction.compares) {
    const auto row = rows_.rows.find(compare.key);
    if ((row == rows_.rows.end() ? 0 : row->second.revision) != compare.revision) return false;
  }
  ++rows_.revision;
  for (const auto* puts : {&transaction.puts, &transaction.leased_puts}) {
    for (const auto& [key, value] : *puts) {
      if (on_put) on_put(key, value);
      rows_.rows[key] = {value, rows_.revision};
      leased_.erase(key);
    }
  }
  for (const auto& [key, value] : transaction.leased_puts) {
    leased_[key] = lease;
    if (leases_.emplace(lease, agenda_.now() + kLease).second) expire(lease);
  }
  for (const std::string& key : transaction.removes) rows_.rows.erase(key);
  if (on_change) on_change();
  return true;
}

/// Looks when the lease ends, and again as often as it was kept alive; without a leader no lease ends.
void SimStore::expire(const Lease& lease) {
  const auto left = std::max(leases_.at(lease) - agenda_.now(), SteadyTime::duration(Millis(20)));
  agenda_.after(std::chrono::duration_cast<Micros>(left), [this, lease] {
    if (outage) leases_[lease] = agenda_.now() + kLease;
    if (leases_.at(lease) > agenda_.now()) return expire(lease);
    leases_.erase(lease);
    bool changed = false;
    for (auto at = leased_.begin(); at != leased_.end();) {
      const auto next = std::next(at);
      if (at->second == lease) {
        rows_.rows.erase(at->first);
        leased_.erase(at);
        changed = true;
      }
      at = next;
    }
    if (!changed) return;
    ++rows_.revision;
    if (on_change) on_change();
  });
}

void SimStore::keep_alive(NodeId by, const Lease& lease) {
  const auto at = leases_.find(lease);
  if (reaches(by) && at != leases_.end()) at->second = agenda_.now() + kLease;
}

void SimStore::transact(NodeId by, const Lease& lease, const failover::Transaction& transaction,
                        std::function<void(Outcome)> then) {
  if (!reaches(by)) {
    agenda_.after(agenda_.between(Millis(1), Millis(300)), [then] { then(Outcome::refused); });
    return;
  }
  const bool unknown = agenda_.chance(faults.unknown);
  if (!unknown) {
    ++under_way_;
    agenda_.after(agenda_.between(kLeast, kMost), [this, by, lease, transaction, then] {
      // Cut off in between, it may have gone through and nobody hears of it.
      --under_way_;
      const bool applied = apply(lease, transaction);
      const bool heard = reaches(by);
      unknown_ += heard ? 0 : 1;
      const Outcome outcome = !heard ? Outcome::unknown : applied ? Outcome::applied : Outcome::refused;
      agenda_.after(agenda_.between(heard ? kLeast : Micros(Millis(100)), heard ? kMost : Micros(Millis(500))),
                    [then, outcome] { then(outcome); });
    });
    return;
  }
  ++unknown_;
  agenda_.after(agenda_.between(Millis(20), Millis(500)), [then] { then(Outcome::unknown); });
  if (agenda_.chance(30)) return;  // it never arrives
  ++under_way_;
  agenda_.after(agenda_.between(kLeast, Millis(1500)), [this, lease, transaction] {
    --under_way_;
    apply(lease, transaction);
  });
}

void SimStore::list(NodeId by, std::function<void(std::optional<failover::ConfigRows>)> then) {
  if (!reaches(by)) {
    agenda_.after(agenda_.between(Millis(50), Millis(300)), [then] { then(std::nullopt); });
    return;
  }
  agenda_.after(agenda_.between(kLeast, kMost), [this, then] {
    const Micros most = agenda_.chance(faults.slow_lists) ? faults.slowest_list : kMost;
    agenda_.after(agenda_.between(kLeast, most), [then, rows = rows_] { then(rows); });
  });
}

// ------------------------------------------------------------------------------------------------ at once

Result<failover::ConfigRow> SimStore::Direct::get(std::string_view key) {
  if (!store_.reaches(by_)) return Error{Errc::retry_later, "the store can't be reached"};
  const auto row = store_.rows_.rows.find(std::string(key));
  return row == store_.rows_.rows.end() ? failover::ConfigRow{} : row->second;
}

Result<failover::ConfigRows> SimStore::Direct::list(std::string_view) {
  if (!store_.reaches(by_)) return Error{Errc::retry_later, "the store can't be reached"};
  return store_.rows_;
}

Result<bool> SimStore::Direct::transact(const failover::Transaction& transaction) {
  if (!store_.reaches(by_)) return Error{Errc::retry_later, "the store can't be reached"};
  return store_.apply("", transaction);
}

}  // namespace holdfast::sim
