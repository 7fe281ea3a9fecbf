#include "server/membership.h"

#include <charconv>

#include "failover/cluster_view.h"
#include "server/recovery.h"

namespace holdfast {
namespace {

constexpr const char* kUuid = "cluster/uuid";
constexpr const char* kPartitions = "cluster/partitions";
constexpr const char* kTokenKeys = "keys/token";
constexpr const char* kNextNode = "next_node";
constexpr const char* kBelongs = "belongs";  // in the node's own store: "<uuid> <node> <founder 0|1>"

struct Belongs {
  std::string uuid;
  std::uint32_t node = 0;
  bool founder = false;
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
  return std::optional<Belongs>(belongs);
}

Status write_belongs(failover::ConfigStore& own, const Belongs& belongs) {
  const auto before = own.get(kBelongs);
  if (!before) return before.error();
  const std::string text = belongs.uuid + " " + std::to_string(belongs.node) + (belongs.founder ? " 1" : " 0");
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

/// A member of that name that is not running is who we are; one that is running is somebody else.
Result<std::uint32_t> node_id_for(failover::ConfigStore& cluster, const std::string& name) {
  const auto listed = cluster.list("");
  if (!listed) return listed.error();
  failover::ClusterView view;
  view.take(*listed);
  for (const auto& [id, member] : view.members()) {
    if (member.row.name() != name) continue;
    if (const auto* node = view.node(id))
      return Error{Errc::in_use, "a node called '" + name + "' runs already, at " + node->row.peer_address() +
                                     ": give this one another name (cluster.node_name), or stop that one"};
    return id.value;
  }
  return draw_node_id(cluster);
}

Status found(failover::ConfigStore& cluster, failover::ConfigStore& own, const Belongs& belongs,
             std::uint16_t partitions, WallTime now, Random& random) {
  auto keys = load_token_keys(own, now, random);
  if (!keys) return keys.error();
  const auto made = cluster.transact({{kUuid, 0}, {kPartitions, 0}, {kTokenKeys, 0}, {kNextNode, 0}},
                                     {{kUuid, belongs.uuid},
                                      {kPartitions, std::to_string(partitions)},
                                      {kTokenKeys, keys->serialize()},
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
    if (!belongs) {
      auto settings = load_settings(own, request.partitions, random);
      if (!settings) return settings.error();
      belongs = Belongs{settings->cluster_uuid, 1, true};
      if (const Status written = write_belongs(own, *belongs); !written) return written.error();
    }
    if (const Status founded = found(cluster, own, *belongs, request.partitions, request.now, random); !founded)
      return founded.error();
    return Membership{belongs->uuid, request.partitions, NodeId(belongs->node), true};
  }

  auto settings = load_settings(cluster, request.partitions, random);
  if (!settings) return settings.error();
  if (belongs && belongs->uuid != settings->cluster_uuid) {
    // It was about to found one of its own, empty, and somebody else was first: it joins that one.
    if (!belongs->founder || request.has_data) return another_cluster(belongs->uuid, settings->cluster_uuid);
    belongs.reset();
  }
  if (!belongs) {
    if (request.has_data) return another_cluster("(a node that was alone)", settings->cluster_uuid);
    const auto node = node_id_for(cluster, request.node_name);
    if (!node) return node.error();
    belongs = Belongs{settings->cluster_uuid, *node, false};
    if (const Status written = write_belongs(own, *belongs); !written) return written.error();
  }
  return Membership{settings->cluster_uuid, settings->partitions, NodeId(belongs->node), belongs->founder};
}

}  // namespace holdfast
