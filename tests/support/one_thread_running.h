/// What a crash takes of OneThreadNode. Only its own files include this.
#pragma once

#include <deque>
#include <optional>

#include "server/router.h"
#include "server/services/services.h"
#include "server/snapshots.h"
#include "storage/log_store.h"
#include "tests/support/one_thread_node.h"

namespace holdfast {

struct OneThreadNode::Running {
  struct ToApply {
    PartitionId partition;
    std::shared_ptr<const log::Entry> entry;
  };
  struct WaitingRange {
    PartitionId partition;
    std::uint64_t life;
    Partition::RangeWanted wanted;
  };
  struct Channel {
    std::deque<Call> mail;
  };

  Running(MemoryDatabase& log_database, const OneThreadOptions& options)
      : log(log_database), config(log), services(options.limits), fill_rate(options.fill_bytes_per_s) {}

  LogStore log;
  failover::EmbeddedConfigStore config;
  services::Services services;
  std::optional<chat::TokenKeys> keys;
  const chat::MailKey mail_key = [] {
    SeededRandom always_the_same(1);
    return chat::MailKey::fresh(always_the_same);
  }();
  std::vector<std::unique_ptr<Copy>> copies;
  std::vector<bool> touched;
  std::vector<PartitionId> turns;
  std::vector<Channel> channels;       // [from * places + to]
  std::vector<std::size_t> with_mail;  // channels that are not empty
  std::vector<Call> pool;              // in any order
  std::deque<LogWrite> to_commit;
  std::deque<ToApply> to_apply;
  std::vector<Seq> applied, flushed;
  std::vector<WaitingRange> ranges;
  std::deque<Call> filling;  // jobs of the thread that fills copies and trims, in order

  // In a cluster.
  std::optional<OneThreadJoined> joined;
  std::vector<std::unique_ptr<Router>> routers;  // by place: of partitions and of doors
  std::vector<bool> routing;
  std::vector<std::size_t> routes;  // places whose router has something
  Routes asked_by;
  std::vector<std::uint64_t> serves;
  std::vector<SteadyTime> confirmed;
  FillRate fill_rate;
  std::vector<std::unique_ptr<Snapshots>> snapshots;  // by partition: each stands for a worker
};

}  // namespace holdfast
