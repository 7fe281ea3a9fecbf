/// What stands between a SimNode that starts and the stores it writes to: a write that is its last, a note that is lost.
///
/// Owned by the start. One thread. Everything else goes through.
#pragma once

#include <functional>

#include "failover/config_store.h"

namespace holdfast::sim {

/// Asks before each transaction; what it is told not to do fails, and so does what it is told to do as the last.
class MortalStore final : public failover::ConfigStore {
 public:
  enum class Fate : std::uint8_t { goes_on, dies_before, dies_after };
  MortalStore(failover::ConfigStore& store, std::function<Fate()> next) : store_(store), next_(std::move(next)) {}

  Result<failover::ConfigRow> get(std::string_view key) override { return store_.get(key); }
  Result<failover::ConfigRows> list(std::string_view prefix) override { return store_.list(prefix); }
  using failover::ConfigStore::transact;
  Result<bool> transact(const failover::Transaction& transaction) override {
    const Fate fate = next_();
    if (fate == Fate::dies_before) return Error{Errc::retry_later, "the process ended"};
    auto done = store_.transact(transaction);
    if (fate == Fate::dies_after) return Error{Errc::outcome_unknown, "the process ended"};
    return done;
  }
  void watch(std::string_view, std::function<void()>) override {}
  void unwatch() override {}

 private:
  failover::ConfigStore& store_;
  const std::function<Fate()> next_;
};

/// Forgets what is put under one key.
class ForgetfulStore final : public failover::ConfigStore {
 public:
  ForgetfulStore(failover::ConfigStore& store, std::string key) : store_(store), key_(std::move(key)) {}

  Result<failover::ConfigRow> get(std::string_view key) override { return store_.get(key); }
  Result<failover::ConfigRows> list(std::string_view prefix) override { return store_.list(prefix); }
  using failover::ConfigStore::transact;
  Result<bool> transact(const failover::Transaction& transaction) override {
    failover::Transaction rest = transaction;
    if (rest.puts.erase(key_) == 0) return store_.transact(rest);
    return true;
  }
  void watch(std::string_view, std::function<void()>) override {}
  void unwatch() override {}

 private:
  failover::ConfigStore& store_;
  const std::string key_;
};

}  // namespace holdfast::sim
