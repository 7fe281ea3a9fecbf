#include "server/admin.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/hash.h"
#include "base/version.h"
#include "proto/backup.pb.h"
#include "server/audit_admin.h"
#include "server/backups.h"
#include "server/export_admin.h"
#include "server/status_board.h"
#include "storage/file_util.h"

namespace holdfast {
namespace {

using failover::Controller;
using http::Then;

Error alone() {
  return {Errc::not_found, "this node is alone: it belongs to no cluster (docs/operations.md says how it founds one)"};
}

std::string hex(const Hash32& hash) { return to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()}); }

const char* name_of(failover::Life life) {
  switch (life) {
    case failover::Life::alive: return "alive";
    case failover::Life::suspect: return "suspect";
    case failover::Life::dead: return "dead";
    default: return "unknown";
  }
}

const char* name_of(peer::Beat::Health health) {
  switch (health) {
    case peer::Beat::OK: return "ok";
    case peer::Beat::SLOW: return "slow";
    case peer::Beat::FULL: return "full";
    case peer::Beat::DRAINING: return "draining";
    case peer::Beat::LATE: return "late";
    default: return "";
  }
}

http::PartitionFigures figures_of(PartitionId id, const log::PartitionConfig& config) {
  http::PartitionFigures figures;
  figures.id = id.value;
  figures.epoch = config.epoch();
  figures.primary = config.primary().node();
  for (const auto& store : config.in_sync()) figures.in_sync.push_back(store.node());
  figures.replicas.assign(config.replicas().begin(), config.replicas().end());
  figures.min_isr = config.min_isr();
  return figures;
}

http::CopyFigures figures_of(const Copy& copy) {
  const failover::Replica& replica = copy.replica();
  http::CopyFigures figures;
  figures.partition = copy.id().value;
  figures.role = failover::name_of(replica.role());
  figures.serving = copy.serving() != nullptr;
  figures.epoch = replica.epoch().value;
  figures.promised = replica.promised().value;
  figures.last_seq = replica.last_seq().value;
  figures.committed = replica.committed().value;
  figures.chain = hex(replica.last_chain());
  if (!replica.leads()) return figures;
  for (const auto& other : replica.copies())
    figures.others.push_back({other.node.value, other.matched.value, other.in_sync, other.connected});
  return figures;
}

std::uint32_t sessions_here(Engine& engine) {
  std::size_t sessions = 0;
  for (const auto& worker : engine.workers()) sessions += worker->figures().gateway.sessions;
  return static_cast<std::uint32_t>(sessions);
}

/// On the cluster's thread.
http::NodeFigures node_figures(Engine& engine, const Controller& controller, NodeId id,
                               const failover::MemberEntry& member) {
  const bool self = id == engine.shared().self;
  const Cluster::Told& told = engine.cluster()->told();
  const auto* row = controller.view().node(id);
  const auto beat = told.beats.find(id);
  const auto admin = told.admin_addresses.find(id);
  http::NodeFigures node;
  node.id = id.value;
  node.name = member.row.name();
  node.zone = member.row.zone();
  node.draining = member.row.draining();
  node.life = self ? "alive" : name_of(controller.detector().life(id));
  node.live = row != nullptr && (self || !controller.detector().dead(id));
  if (admin != told.admin_addresses.end()) node.admin_address = admin->second;
  if (row != nullptr) {
    node.version = row->row.version();
    node.peer_address = row->row.peer_address();
    node.client_address = row->row.client_address();
  }
  if (self) {
    node.sessions = sessions_here(engine);
    const bool late = told.own_health == peer::Beat::OK && controller.detector().late();
    node.health = name_of(late ? peer::Beat::LATE : told.own_health);
  } else if (node.live && beat != told.beats.end()) {
    node.sessions = beat->second.sessions();
    node.health = name_of(beat->second.health());
  }
  return node;
}

http::ClusterFigures cluster_figures(Engine& engine, const Controller& controller) {
  const failover::ClusterView& view = controller.view();
  http::ClusterFigures figures;
  figures.self = engine.shared().self.value;
  figures.registered = controller.registered();
  if (const auto& coordinator = view.coordinator())
    figures.coordinator = {coordinator->node.value, coordinator->row.term(), coordinator->row.since_ms()};
  figures.safe_mode = controller.safe_mode();
  figures.problems.assign(view.problems().begin(), view.problems().end());
  for (const auto& [id, member] : view.members()) figures.nodes.push_back(node_figures(engine, controller, id, member));
  figures.cluster = engine.shared().cluster_uuid;
  figures.copies = engine.cluster()->told().copies;
  for (const auto& [id, row] : view.partitions()) {
    figures.partitions.push_back(figures_of(id, row.config));
    for (const auto& store : row.config.in_sync())
      if (!view.live(store)) figures.partitions.back().missing.push_back(store.node());
  }
  for (http::NodeFigures& node : figures.nodes) {
    for (const auto& partition : figures.partitions) {
      node.primaries += partition.primary == node.id ? 1 : 0;
      node.in_sync +=
          static_cast<std::uint32_t>(std::count(partition.in_sync.begin(), partition.in_sync.end(), node.id));
      node.copies +=
          static_cast<std::uint32_t>(std::count(partition.replicas.begin(), partition.replicas.end(), node.id));
    }
  }
  return figures;
}

void tell_cluster(Engine& engine, Then<Result<http::ClusterFigures>> then) {
  if (engine.cluster() == nullptr) return then(alone());
  engine.cluster()->with_controller(
      [&engine, then = std::move(then)](const Controller& controller) { then(cluster_figures(engine, controller)); });
}

/// Every worker adds its own; the last one answers.
void tell_copies(Engine& engine, Then<http::CopiesFigures> then) {
  struct Gathering {
    std::mutex mutex;
    http::CopiesFigures figures;  ///< under mutex
    std::size_t left = 0;         ///< under mutex
  };
  const auto gathering = std::make_shared<Gathering>();
  gathering->figures.self = engine.shared().self.value;
  gathering->left = engine.workers().size();
  for (std::size_t index = 0; index < engine.workers().size(); ++index) {
    Worker& worker = *engine.workers()[index];
    worker.call([&engine, &worker, index, gathering, then] {
      std::vector<http::CopyFigures> mine;
      for (std::size_t p = index; p < engine.shared().partitions; p += engine.workers().size())
        mine.push_back(figures_of(worker.copy(PartitionId(static_cast<std::uint16_t>(p)))));
      const std::lock_guard lock(gathering->mutex);
      auto& all = gathering->figures.copies;
      all.insert(all.end(), mine.begin(), mine.end());
      if (--gathering->left > 0) return;
      std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.partition < b.partition; });
      then(std::move(gathering->figures));
    });
  }
}

/// The chain value is read where reading may block.
void add_chain(Engine& engine, http::PartitionDetail detail, std::optional<std::uint64_t> at,
               const Then<Result<http::PartitionDetail>>& then) {
  if (!at) return then(std::move(detail));
  engine.shared().blocking([&engine, detail = std::move(detail), seq = *at, then]() mutable {
    const auto chain =
        engine.shared().log->chain_at(PartitionId(static_cast<std::uint16_t>(detail.here.partition)), Seq(seq));
    if (!chain && chain.error().code != Errc::not_found) return then(chain.error());
    detail.at = http::PartitionDetail::At{seq, chain ? hex(*chain) : std::string()};
    then(std::move(detail));
  });
}

void tell_partition(Engine& engine, std::uint32_t number, std::optional<std::uint64_t> at,
                    const Then<Result<http::PartitionDetail>>& then) {
  const std::uint16_t count = engine.shared().partitions;
  if (number >= count)
    return then(Error{Errc::not_found, "there is no partition " + std::to_string(number) + ": they are 0 to " +
                                           std::to_string(count - 1)});
  const PartitionId id(static_cast<std::uint16_t>(number));
  Worker& worker = engine.shared().worker_of(id);
  worker.call([&engine, &worker, id, at, then] {
    const Copy& copy = worker.copy(id);
    http::PartitionDetail detail;
    detail.self = engine.shared().self.value;
    detail.configured = figures_of(id, copy.replica().row().config);
    detail.here = figures_of(copy);
    add_chain(engine, std::move(detail), at, then);
  });
}

http::EventsFigures events_since(const Controller& controller, std::uint32_t self, std::uint64_t since) {
  const failover::Happenings& happenings = controller.happenings();
  http::EventsFigures events;
  events.self = self;
  events.last = happenings.count();
  std::uint64_t number = happenings.count() - happenings.all().size();
  for (const auto& one : happenings.all()) {
    if (++number <= since) continue;
    events.events.push_back({number, to_ms(one.time), failover::name_of(one.kind), one.node.value, one.by.value,
                             one.partitions, one.took.count(), one.text});
  }
  return events;
}

void tell_events(Engine& engine, std::uint64_t since, Then<Result<http::EventsFigures>> then) {
  if (engine.cluster() == nullptr) return then(alone());
  engine.cluster()->with_controller([self = engine.shared().self.value, since, then = std::move(then)](
                                        const Controller& controller) { then(events_since(controller, self, since)); });
}

Status carry_out(Controller& controller, const http::AdminAction& action) {
  using Kind = http::AdminAction::Kind;
  const NodeId node(action.node);
  switch (action.kind) {
    case Kind::drain: return controller.drain(node);
    case Kind::undrain: return controller.undrain(node);
    case Kind::remove: return controller.remove(node);
    case Kind::rebalance: return controller.rebalance();
    case Kind::unsafe_recover:
      if (action.partition > 0xffff) return Error{Errc::not_found, "there is no such partition"};
      return controller.unsafe_recover(
          {PartitionId(static_cast<std::uint16_t>(action.partition)), node, Epoch(action.epoch), Seq(action.at)});
    case Kind::move:
      if (action.partition > 0xffff) return Error{Errc::not_found, "there is no such partition"};
      return controller.move(PartitionId(static_cast<std::uint16_t>(action.partition)), node);
  }
  return Error{Errc::unsupported, "not known here"};
}

void act(Engine& engine, http::AdminAction action, Then<Status> then) {
  if (engine.cluster() == nullptr) return then(alone());
  engine.cluster()->with_controller([&engine, action, then = std::move(then)](Controller& controller) {
    const Status done = carry_out(controller, action);
    note_action(engine.shared(), action, done);
    then(done);
  });
}

/// What a restored backup needs besides its partitions.
void tell_settings(Engine& engine, const Then<Result<std::string>>& then) {
  engine.shared().blocking([&engine, then] {
    const auto key = read_small_file(engine.directory().path() / "operator.key");
    if (!key) return then(key.error());
    backup::Settings settings;
    settings.set_cluster(engine.shared().cluster_uuid);
    settings.set_partitions(engine.shared().partitions);
    settings.set_generation(engine.shared().generation.number);
    settings.set_restores(engine.shared().generation.restores);
    settings.set_token_keys(engine.shared().keys->get()->serialize());
    settings.set_mail_key(engine.shared().mail_key->serialize());
    settings.set_operator_key(key->value_or(""));
    settings.set_version(std::string(kVersion));
    then(settings.SerializeAsString());
  });
}

void tell_backup(Engine& engine, const http::BackupRequest& request, const Then<Result<std::string>>& then) {
  using Kind = http::BackupRequest::Kind;
  if (request.kind == Kind::settings) {  // asked once for each backup, before all else
    note_backup(engine.shared(), request, Ok{});
    return tell_settings(engine, then);
  }
  static const std::map<Kind, peer::BackupAsk::What> kinds{{Kind::hold, peer::BackupAsk::HOLD},
                                                           {Kind::release, peer::BackupAsk::RELEASE},
                                                           {Kind::piece, peer::BackupAsk::PIECE},
                                                           {Kind::end, peer::BackupAsk::END}};
  peer::BackupAsk ask;
  ask.set_backup(request.backup);
  ask.set_what(kinds.at(request.kind));
  ask.set_partition(request.partition);
  const NodeId node(request.node);
  if (node == NodeId{} || node == engine.shared().self) return engine.shared().backups->carry_out(ask, then);
  if (engine.cluster() == nullptr) return then(alone());
  engine.cluster()->ask_backup(node, ask, then);
}

}  // namespace

http::AdminParts admin_parts(Engine& engine, const gateway::Admission& admission) {
  http::AdminParts parts;
  parts.is_operator = [&admission](std::string_view key) { return admission.is_operator_key(key); };
  parts.cluster = [&engine](auto then) { tell_cluster(engine, std::move(then)); };
  parts.copies = [&engine](auto then) { tell_copies(engine, std::move(then)); };
  parts.partition = [&engine](std::uint32_t partition, std::optional<std::uint64_t> at, const auto& then) {
    tell_partition(engine, partition, at, then);
  };
  parts.events = [&engine](std::uint64_t since, auto then) { tell_events(engine, since, std::move(then)); };
  parts.audit = [&engine](const http::AuditRequest& request, auto then) {
    tell_audit(engine, request, std::move(then));
  };
  parts.incident = [&engine](const http::IncidentRequest& request, auto then) {
    change_incident(engine, request, std::move(then));
  };
  parts.exported = [&engine](const http::ExportRequest& request, auto then) {
    tell_export(engine, request, std::move(then));
  };
  parts.backup = [&engine](const http::BackupRequest& request, const auto& then) {
    tell_backup(engine, request, then);
  };
  parts.act = [&engine](http::AdminAction action, auto then) { act(engine, action, std::move(then)); };
  return parts;
}

}  // namespace holdfast
