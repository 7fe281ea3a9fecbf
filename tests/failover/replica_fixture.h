/// A few replicas of one partition in one test: disks that sync at once, links that deliver when told.
///
/// Owned by the test. Node n has the store whose first byte is n, unless it was given another.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "failover/replica.h"

namespace holdfast::failover {

constexpr PartitionId kPartition(3);

inline Member member(std::uint32_t node, std::uint8_t store = 0) {
  return {NodeId(node), StoreId({store ? store : static_cast<std::uint8_t>(node)})};
}

inline PartitionRow row(std::uint64_t revision, std::uint64_t epoch, std::uint32_t primary,
                        const std::vector<Member>& in_sync, std::uint32_t min = 2,
                        const std::vector<std::uint32_t>& replicas = {1, 2, 3}) {
  PartitionRow out;
  out.revision = revision;
  out.config.set_epoch(epoch);
  out.config.set_min_isr(min);
  for (const std::uint32_t node : replicas) out.config.add_replicas(node);
  for (const Member& one : in_sync) {
    auto& store = *out.config.add_in_sync();
    store.set_node(one.node.value);
    store.set_store_id(one.store.str());
    if (one.node.value == primary) *out.config.mutable_primary() = store;
  }
  return out;
}

class Replicas {
 public:
  struct Sent {
    Member from;
    NodeId to;
    peer::Replication message;
  };
  struct Site {
    Member self;
    std::unique_ptr<Replica> replica;
    std::vector<LogWrite> unsynced;
    std::vector<Appended> log;  ///< as written; cut where it was cut
    std::uint64_t promised = 0;
    std::vector<EpochStart> epoch_starts;
    std::vector<std::string> committed;
    std::vector<Reconfiguration> wanted;
    std::vector<NodeId> snapshots;
    std::vector<Replica::LogWanted> log_wanted;
    std::string trouble;
    bool disk_waits = false;
  };

  explicit Replicas(std::uint32_t nodes, Replica::Options options = Replica::Options()) : options_(options) {
    for (std::uint32_t node = 1; node <= nodes; ++node) start(member(node), {});
    connect();
  }

  Site& at(std::uint32_t node) { return sites_.at(node); }
  Replica& operator[](std::uint32_t node) { return *sites_.at(node).replica; }
  SteadyTime now() const { return now_; }

  void start(Member self, const Recovered& recovered) {
    Site& site = sites_[self.node.value];
    site = Site();
    site.self = self;
    site.replica = std::make_unique<Replica>(kPartition, self, recovered, options_);
    site.replica->tick(now_);
  }
  /// As after kill -9: what was synced is there, everything else is not; `tail` entries lie above the state.
  void restart(std::uint32_t node, std::size_t tail = 1000) {
    Site old = std::move(sites_.at(node));
    Recovered recovered{};
    recovered.promised = Epoch(old.promised);
    recovered.epoch_starts = old.epoch_starts;
    if (!old.log.empty()) {
      const Appended& last = old.log.back();
      recovered.last_seq = last.encoded->seq;
      recovered.last_epoch = Epoch(last.entry->epoch());
      recovered.last_chain = last.encoded->chain;
      recovered.last_time = from_ms(last.entry->time_ms());
      tail = std::min(tail, old.log.size());
      recovered.tail.assign(old.log.end() - static_cast<std::ptrdiff_t>(tail), old.log.end());
      if (tail < old.log.size()) {
        const Appended& before = old.log[old.log.size() - tail - 1];
        recovered.epoch_before_tail = Epoch(before.entry->epoch());
        recovered.chain_before_tail = before.encoded->chain;
      }
    }
    start(old.self, recovered);
    sites_.at(node).log = old.log;
    sites_.at(node).promised = old.promised;
    sites_.at(node).epoch_starts = old.epoch_starts;
    connect();
  }

  void connect() {
    for (auto& [node, site] : sites_)
      for (auto& [other, there] : sites_)
        if (node != other) site.replica->link_up(there.self);
  }
  void cut(std::uint32_t node) {
    cut_.insert(node);
    for (auto& [other, site] : sites_) {
      if (other == node) continue;
      site.replica->link_down(NodeId(node));
      sites_.at(node).replica->link_down(NodeId(other));
    }
    std::erase_if(net_, [&](const Sent& sent) { return sent.from.node.value == node || sent.to.value == node; });
  }
  void mend(std::uint32_t node) {
    cut_.erase(node);
    connect();
  }

  void configure(const PartitionRow& to) {
    for (auto& [node, site] : sites_) site.replica->configured(to);
  }

  /// Takes what each has to say; carries out nothing but the disk's part.
  void pump() {
    for (auto& [node, site] : sites_) pump(site);
  }
  void pump(Site& site) {
    for (bool again = true; again;) {
      Replica::Ready ready = site.replica->take_ready();
      again = !ready.writes.empty() && !site.disk_waits;
      for (const Appended& entry : ready.committed) site.committed.push_back(text(*entry.entry));
      for (auto& message : ready.messages)
        if (!cut_.contains(site.self.node.value) && !cut_.contains(message.to.value))
          net_.push_back({site.self, message.to, std::move(message.message)});
      if (ready.reconfiguration) site.wanted.push_back(*ready.reconfiguration);
      for (const NodeId one : ready.snapshots) site.snapshots.push_back(one);
      for (const auto& one : ready.log) site.log_wanted.push_back(one);
      if (!ready.trouble.empty()) site.trouble = ready.trouble;
      for (LogWrite& write : ready.writes) site.unsynced.push_back(std::move(write));
      if (!site.disk_waits) sync(site);
      if (const auto start = site.replica->take_epoch_start(kNow)) again = true;
    }
  }
  void sync(Site& site) {
    for (const LogWrite& write : std::exchange(site.unsynced, {})) {
      if (write.cut) std::erase_if(site.log, [&](const Appended& e) { return e.encoded->seq >= write.cut->first; });
      for (const auto& entry : write.entries) {
        auto body = std::make_shared<log::Entry>();
        body->ParseFromString(std::string(entry_bytes(*entry)));
        site.log.push_back({std::move(body), entry});
      }
      if (write.promise) {
        site.promised = write.promise->promised_epoch();
        site.epoch_starts.clear();
        for (const auto& start : write.promise->epoch_starts())
          site.epoch_starts.push_back({Epoch(start.epoch()), Seq(start.first_seq())});
      }
      site.replica->durable(write.ticket);
    }
  }
  void deliver(const Sent& sent) {
    const auto there = sites_.find(sent.to.value);
    if (there != sites_.end()) there->second.replica->received(sent.from, sent.message);
  }
  std::deque<Sent>& net() { return net_; }
  /// Everything, until nobody has anything to say.
  void settle() {
    for (pump(); !net_.empty(); pump()) {
      const Sent sent = net_.front();
      net_.pop_front();
      deliver(sent);
    }
  }
  void pass(std::chrono::milliseconds time) {
    for (const SteadyTime end = now_ + time; now_ < end;) {
      now_ = std::min(end, now_ + kTick);
      for (auto& [node, site] : sites_) site.replica->tick(now_);
    }
  }

  static log::Entry body(const std::string& key) {
    log::Entry entry;
    entry.add_writes()->set_key(key);
    return entry;
  }
  static std::string text(const log::Entry& entry) {
    return entry.kind() == log::Entry::EPOCH_START ? "start " + std::to_string(entry.epoch()) : entry.writes(0).key();
  }
  void append(std::uint32_t node, const std::string& key) {
    sites_.at(node).replica->append(body(key), sites_.at(node).replica->log_time(kNow));
  }
  std::vector<std::string> log_of(std::uint32_t node) {
    std::vector<std::string> texts;
    for (const Appended& one : sites_.at(node).log) texts.push_back(text(*one.entry));
    return texts;
  }

  static constexpr std::chrono::milliseconds kTick{50};
  static inline const WallTime kNow = from_ms(1'000'000);

 private:
  const Replica::Options options_;
  SteadyTime now_{std::chrono::seconds(100)};
  std::map<std::uint32_t, Site> sites_;
  std::deque<Sent> net_;
  std::set<std::uint32_t> cut_;
};

}  // namespace holdfast::failover
