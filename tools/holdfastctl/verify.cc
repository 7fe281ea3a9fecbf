#include "tools/holdfastctl/verify.h"

#include <algorithm>

#include "tools/holdfastctl/figures.h"

namespace holdfast::ctl {
namespace {

/// By partition, then node: copies that belong to it and have something committed.
using Copies = std::map<std::uint32_t, std::map<std::uint32_t, http::CopyFigures>>;

Result<http::CopiesFigures> copies_at(Admin& admin, std::uint32_t node, const HostPort& where) {
  const auto body = admin.get_from(where, "/admin/copies");
  if (!body) return body.error();
  auto copies = parse_copies(*body);
  if (copies && copies->self != node) return Error{Errc::not_found, "another node answers there"};
  return copies;
}

Copies gather(const http::ClusterFigures& cluster, Admin& admin, const std::map<std::uint32_t, HostPort>& where,
              Verified& verified) {
  Copies copies;
  for (const auto& node : cluster.nodes) {
    if (!node.live) continue;
    const auto at = where.find(node.id);
    const auto told = at == where.end() ? Result<http::CopiesFigures>(Error{Errc::not_found, "no address"})
                                        : copies_at(admin, node.id, at->second);
    (told ? verified.nodes : verified.silent).push_back(node.id);
    if (!told) continue;
    for (const auto& copy : told->copies) {
      const auto partition = std::find_if(cluster.partitions.begin(), cluster.partitions.end(),
                                          [&](const auto& one) { return one.id == copy.partition; });
      if (partition == cluster.partitions.end() || copy.committed == 0) continue;
      const auto& holders = partition->in_sync;
      if (std::find(holders.begin(), holders.end(), node.id) == holders.end()) continue;
      copies[copy.partition].emplace(node.id, copy);
    }
  }
  return copies;
}

/// Who can say, says it; who has trimmed that entry, or can't be asked, is left out.
Verified::Difference chains_at(Admin& admin, const std::map<std::uint32_t, HostPort>& where, std::uint32_t partition,
                               const std::map<std::uint32_t, http::CopyFigures>& copies) {
  Verified::Difference result{partition, common_seq(copies), {}};
  const std::string target = "/admin/partitions/" + std::to_string(partition) + "?at=" + std::to_string(result.seq);
  for (const auto& [node, copy] : copies) {
    const auto body = admin.get_from(where.at(node), target);
    const auto detail = body ? parse_partition(*body) : Result<http::PartitionDetail>(body.error());
    if (detail && detail->at && !detail->at->chain.empty()) result.chains.emplace(node, detail->at->chain);
  }
  return result;
}

}  // namespace

std::map<std::uint32_t, HostPort> reachable(const http::ClusterFigures& cluster, const Admin& admin) {
  std::map<std::uint32_t, HostPort> where;
  for (const auto& node : cluster.nodes) {
    if (!node.live) continue;
    if (auto told = parse_host_port(node.admin_address)) where.emplace(node.id, std::move(*told));
  }
  // Whoever told us was reached at this address, whatever it believes of itself.
  where.insert_or_assign(cluster.self, admin.options().where.front());
  return where;
}

std::uint64_t common_seq(const std::map<std::uint32_t, http::CopyFigures>& copies) {
  std::uint64_t least = 0;
  for (const auto& [node, copy] : copies) least = least == 0 ? copy.committed : std::min(least, copy.committed);
  return least;
}

Result<Verified> compare_copies(const http::ClusterFigures& cluster, Admin& admin) {
  Verified verified;
  const auto where = reachable(cluster, admin);
  const Copies copies = gather(cluster, admin, where, verified);
  for (const auto& partition : cluster.partitions) {
    const auto here = copies.find(partition.id);
    const bool several = here != copies.end() && here->second.size() >= 2;
    const auto chains = several ? chains_at(admin, where, partition.id, here->second) : Verified::Difference{};
    if (chains.chains.size() < 2) {
      verified.not_compared.push_back(partition.id);
      continue;
    }
    ++verified.compared;
    verified.copies += chains.chains.size();
    const bool same = std::all_of(chains.chains.begin(), chains.chains.end(),
                                  [&](const auto& one) { return one.second == chains.chains.begin()->second; });
    if (!same) verified.differing.push_back(chains);
  }
  return verified;
}

std::string show_verified(const http::ClusterFigures& cluster, const Verified& verified) {
  std::string out;
  for (const auto& one : verified.differing) {
    out += "DIFFERENT: partition " + std::to_string(one.partition) + " at entry " + std::to_string(one.seq) + ":";
    for (const auto& [node, chain] : one.chains) out += " " + name_of(cluster, node) + " " + chain.substr(0, 16);
    out += "\n";
  }
  for (const std::uint32_t node : verified.silent)
    out += "not compared: " + name_of(cluster, node) + ", whose operators' port does not answer from here\n";
  if (!verified.not_compared.empty())
    out += "not compared: " + std::to_string(verified.not_compared.size()) +
           " partitions that fewer than two nodes could tell about (nothing written yet, being filled, or trimmed)\n";
  out += std::to_string(verified.compared) + " partitions compared, " + std::to_string(verified.copies) +
         " copies on " + std::to_string(verified.nodes.size()) + " nodes: " +
         (verified.differing.empty() ? "no difference.\n"
                                     : std::to_string(verified.differing.size()) +
                                           " differ. Stop the node that stands alone, keep its disk, and see "
                                           "docs/operations.md.\n");
  return out;
}

}  // namespace holdfast::ctl
