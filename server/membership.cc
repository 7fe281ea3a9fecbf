#include "server/membership.h"

#include <charconv>
#include <thread>

#include "failover/cluster_keys.h"
#include "failover/cluster_view.h"
#include "failover/generation.h"
#include "server/recovery.h"

namespace holdfast {
namespace {

using failover::kGenerationKey;
constexpr const char* kUuid = failover::kUuidKey;
constexpr const char* kPartitions = failover::kPartitionsKey;
constexpr const char* kTokenKeys = failover::kTokenKeysKey;
constexpr const char* kMailKey = failover::kMailKeyKey;
constexpr const char* kNextNode = "next_node";
constexpr std::chrono::milliseconds kAskAgain{100};
constexpr std::chrono::milliseconds kLeaseEnds{4'000};  // 2 s, etcd's half second of slack, and an election of its
constexpr const char* kBelongs =
    "belongs";  // in the node's own store: "<uuid> <node> <0: joined | 1: founded it | 2: is founding it>"

struct Belongs {
  std::string uuid;
  std::uint32_t node = 0;
  bool founder = false;
  bool founding = false;  ///< it may not have come to it: another one may have been first
};

Result<std::optional<Belongs>> read_belongs(failover::ConfigStore& own) {
  const auto row = own.get(kBelongs);
  if (!row) return row.error();
  if (row->revision == 0) return std::optional<Belongs>();
  Belongs belongs;
  char uuid[64] = {};
  int founder = 0;
  if (std::sscanf(row->value.c_str(), "%63s %u %d", uuid, &belongs.node, &founder) != 3)
    return Error{Errc::corrupt, "the note to which cluster this data belongs can't be read: '" + row->value + "'"};
  belongs.uuid = uuid;
  belongs.founder = founder != 0;
  belongs.founding = founder == 2;
  return std::optional<Belongs>(belongs);
}

Status write_belongs(failover::ConfigStore& own, const Belongs& belongs) {
  const auto before = own.get(kBelongs);
  if (!before) return before.error();
  const char* how = belongs.founding ? " 2" : belongs.founder ? " 1" : " 0";
  const std::string text = belongs.uuid + " " + std::to_string(belongs.node) + how;
  const auto done = own.transact({{kBelongs, before->revision}}, {{kBelongs, text}});
  if (!done) return done.error();
  return Ok{};
}

/// The next node id of the cluster, given out once.
Result<std::uint32_t> draw_node_id(failover::ConfigStore& cluster) {
  for (int tries = 0; tries < 20; ++tries) {
    const auto row = cluster.get(kNextNode);
    if (!row) return row.error();
    std::uint32_t next = 1;
    if (row->revision > 0 &&
        std::from_chars(row->value.data(), row->value.data() + row->value.size(), next).ec != std::errc{})
      return Error{Errc::corrupt, "the configuration store's next_node is no number: '" + row->value + "'"};
    const auto taken = cluster.transact({{kNextNode, row->revision}}, {{kNextNode, std::to_string(next + 1)}});
    if (!taken) return taken.error();
    if (*taken) return next;
  }
  return Error{Errc::retry_later, "many nodes join at once: start again"};
}

/// Who runs under that name: its address; empty: nobody. `id` is whose the name is, 0: nobody's.
Result<std::string> who_runs_as(failover::ConfigStore& cluster, const std::string& name, std::uint32_t& id) {
  const auto listed = cluster.list("");
  if (!listed) return listed.error();
  failover::ClusterView view;
  view.take(*listed);
  id = 0;
  for (const auto& [member_id, member] : view.members()) {
    if (member.row.name() != name) continue;
    id = member_id.value;
    const auto* node = view.node(member_id);
    return node == nullptr ? std::string() : node->row.peer_address();
  }
  return std::string();
}

/// A member of that name that is not running is who we are; one that is running is somebody else. One that was killed a
/// moment ago looks as if it ran until its lease ends: that is waited for.
Result<std::uint32_t> node_id_for(failover::ConfigStore& cluster, const std::string& name) {
  std::uint32_t id = 0;
  std::string address;
  for (auto waited = std::chrono::milliseconds(0);; waited += kAskAgain) {
    const auto running = who_runs_as(cluster, name, id);
    if (!running) return running.error();
    address = *running;
    if (address.empty()) return id != 0 ? Result<std::uint32_t>(id) : draw_node_id(cluster);
    if (waited >= kLeaseEnds) break;
    std::this_thread::sleep_for(kAskAgain);
  }
  return Error{Errc::in_use, "a node called '" + name + "' runs already, at " + address +
                                 ": give this one another name (cluster.node_name), or stop that one"};
}

/// Those of them that run may say no.
Status greet(failover::ConfigStore& cluster, const std::string& uuid, const JoinRequest& request) {
  if (!request.greet) return Ok{};
  const auto listed = cluster.list("");
  if (!listed) return listed.error();
  failover::ClusterView view;
  view.take(*listed);
  std::map<NodeId, std::string> running;
  for (const auto& [id, node] : view.nodes()) running.emplace(id, node.row.peer_address());
  return request.greet(uuid, running);
}

Status found(failover::ConfigStore& cluster, failover::ConfigStore& own, const Belongs& belongs,
             std::uint16_t partitions, WallTime now, Random& random) {
  auto keys = load_token_keys(own, now, random);
  if (!keys) return keys.error();
  const auto mail_key = load_mail_key(own, random);
  if (!mail_key) return mail_key.error();
  const auto generation = failover::load_generation(own);
  if (!generation) return generation.error();
  const auto made = cluster.transact({{kUuid, 0}, {kPartitions, 0}, {kTokenKeys, 0}, {kMailKey, 0}, {kNextNode, 0}},
                                     {{kUuid, belongs.uuid},
                                      {kGenerationKey, generation->text()},
                                      {kPartitions, std::to_string(partitions)},
                                      {kTokenKeys, keys->serialize()},
                                      {kMailKey, mail_key->serialize()},
                                      {kNextNode, std::to_string(belongs.node + 1)}});
  if (!made) return made.error();
  if (!*made)
    return Error{Errc::in_use,
                 "another node founds a cluster in this configuration store at the same time: start again"};
  return Ok{};
}

Error another_cluster(const std::string& ours, const std::string& theirs) {
  return {Errc::invalid_argument, "this data directory belongs to cluster " + ours +
                                      ", and the configuration store holds cluster " + theirs +
                                      ": use the right cluster.store, or an empty data directory"};
}

}  // namespace

Result<std::string> cluster_of(failover::ConfigStore& own) {
  const auto noted = read_belongs(own);
  if (!noted) return noted.error();
  return *noted ? (*noted)->uuid : std::string();
}

Result<Membership> join_cluster(failover::ConfigStore& cluster, failover::ConfigStore& own, const JoinRequest& request,
                                Random& random) {
  auto noted = read_belongs(own);
  if (!noted) return noted.error();
  const auto uuid = cluster.get(kUuid);
  if (!uuid) return uuid.error();
  std::optional<Belongs> belongs = *noted;

  if (uuid->revision == 0) {
    if (belongs && !belongs->founder) return another_cluster(belongs->uuid, "(none)");
    if (belongs && !belongs->founding && !request.accept_older_store)
      return Error{Errc::invalid_argument,
                   "this data belongs to cluster " + belongs->uuid +
                       ", and the configuration store is empty: it has lost what it knew. Put a copy of it back "
                       "(etcdctl snapshot restore), or if there is none see docs/operations.md, etcd is gone"};
    if (!belongs) {
      auto settings = load_settings(own, request.partitions, random);
      if (!settings) return settings.error();
      belongs = Belongs{settings->cluster_uuid, 1, true, true};
      if (const Status written = write_belongs(own, *belongs); !written) return written.error();
    }
    if (const Status founded = found(cluster, own, *belongs, request.partitions, request.now, random); !founded)
      return founded.error();
    belongs->founding = false;
    if (const Status written = write_belongs(own, *belongs); !written) return written.error();
    return Membership{belongs->uuid, request.partitions, NodeId(belongs->node), true};
  }

  auto settings = load_settings(cluster, request.partitions, random);
  if (!settings) return settings.error();
  if (belongs && belongs->uuid != settings->cluster_uuid) {
    // It was about to found one of its own, empty, and somebody else was first: it joins that one.
    if (!belongs->founding || request.has_data) return another_cluster(belongs->uuid, settings->cluster_uuid);
    belongs.reset();
  }
  if (belongs && belongs->founding) {  // it was killed between the founding and the note of it
    belongs->founding = false;
    if (const Status written = write_belongs(own, *belongs); !written) return written.error();
  }
  if (!belongs) {
    if (request.has_data) return another_cluster("(a node that was alone)", settings->cluster_uuid);
    if (const Status greeted = greet(cluster, settings->cluster_uuid, request); !greeted) return greeted.error();
    const auto node = node_id_for(cluster, request.node_name);
    if (!node) return node.error();
    belongs = Belongs{settings->cluster_uuid, *node, false};
    if (const Status written = write_belongs(own, *belongs); !written) return written.error();
  }
  return Membership{settings->cluster_uuid, settings->partitions, NodeId(belongs->node), belongs->founder};
}

}  // namespace holdfast
