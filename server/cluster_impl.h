/// Cluster::Impl, whose members are in cluster.cc (what others call, its turns), cluster_links.cc (other nodes) and
/// cluster_store.cc (the configuration store).
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "server/cluster.h"
#include "server/confirmations.h"
#include "server/disk_watch.h"
#include "server/hand_over.h"
#include "server/worker.h"

namespace holdfast {

namespace asio = boost::asio;

struct Cluster::Impl {
  Impl(ClusterOptions o, failover::ConfigStore& s, failover::ConfigStore& own, Shared& sh)
      : options(std::move(o)),
        store(s),
        own_store(own),
        shared(sh),
        links(loop.get_executor(), options.links, handlers()),
        confirmations(sh.partitions) {
    told.copies = static_cast<std::uint32_t>(options.controller.balancer.copies);
  }

  failover::PeerHandlers handlers();
  void on_up(const peer::Hello& hello);
  void on_down(NodeId node, failover::LinkDown how);
  void on_frame(const failover::Member& from, std::unique_ptr<peer::Frame> frame);
  void on_own_frame(NodeId from, peer::Frame& frame);
  void tick();
  void carry_out();
  void take_news(failover::Ready& ready);
  void transact(failover::Submission submission);
  void list();
  void take_token_keys(const failover::ConfigRows& rows);
  void take_admin_addresses(const failover::ConfigRows& rows);
  void configured(const failover::Configured& news);
  void note_nodes();
  void report_health();
  void confirm();
  void take_confirmations();
  void log_happenings();
  void keep_floor();
  void hand_over_some();
  void hand_over_aside();
  void stand_aside(bool aside);
  void offer(HandOver& giving, const std::function<bool(NodeId)>& may_take);
  void ask_backup(NodeId node, peer::BackupAsk ask, std::function<void(Result<std::string>)> then);
  void on_backup_ask(NodeId from, const peer::BackupAsk& ask);
  void on_backup_answer(NodeId from, peer::BackupAnswer& answer);
  void give_up_backup_asks(SteadyTime now);
  void to_all(const std::function<Mail()>& mail);
  void post(std::function<void()> call) { asio::post(loop, std::move(call)); }

  ClusterOptions options;
  failover::ConfigStore& store;
  failover::ConfigStore& own_store;
  Shared& shared;

  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(loop);
  asio::steady_timer timer{loop};
  asio::thread_pool store_pool{3};
  failover::PeerLinks links;
  std::unique_ptr<failover::Controller> controller;
  std::thread thread;
  bool stopping = false;

  Confirmations confirmations;
  SteadyTime next_confirm{};
  std::map<NodeId, std::string> client_addresses;
  std::set<NodeId> leaving;
  struct Leaving {
    HandOver hand_over;
    std::function<void()> done;
  };
  std::optional<Leaving> hand_over;
  std::optional<HandOver> standing_aside;  ///< while we do
  struct BackupAsked {
    NodeId node;
    SteadyTime until;
    std::function<void(Result<std::string>)> then;
  };
  std::map<std::uint64_t, BackupAsked> backup_asks;  ///< not answered yet
  std::uint64_t next_backup_ask = 1;
  bool leaving_node = false;
  DiskWatch disk;
  bool disk_slow = false, disk_hangs = false;
  std::uint64_t token_keys_revision = 0;
  std::uint64_t happenings_logged = 0;
  std::atomic<bool> registered{false}, coordinates{false};
  std::atomic<std::uint64_t> promotions{0};
  Told told;
  failover::StoreFloor floor_kept;
  bool keeping_floor = false;
  std::string admin_address;
  bool telling_admin_address = false;
  mutable std::mutex in_sync_mutex;
  std::map<PartitionId, std::size_t> in_sync;  ///< under in_sync_mutex
};

}  // namespace holdfast
