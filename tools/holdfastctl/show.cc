#include "tools/holdfastctl/show.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "tools/holdfastctl/table.h"

namespace holdfast::ctl {
namespace {

using http::ClusterFigures;
using http::NodeFigures;
using http::PartitionFigures;

constexpr std::size_t kListed = 8;  ///< partitions that are named one by one

bool contains(const std::vector<std::uint32_t>& all, std::uint32_t one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

const NodeFigures* node_of(const ClusterFigures& cluster, std::uint32_t id) {
  const auto at =
      std::find_if(cluster.nodes.begin(), cluster.nodes.end(), [&](const NodeFigures& node) { return node.id == id; });
  return at == cluster.nodes.end() ? nullptr : &*at;
}

bool is_live(const ClusterFigures& cluster, std::uint32_t id) {
  const NodeFigures* node = node_of(cluster, id);
  return node != nullptr && node->live;
}

std::string count(std::size_t n, const std::string& what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string list(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < std::min(numbers.size(), kListed); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(numbers[i]);
  return numbers.size() > kListed ? text + " …" : text;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

Tone tone_of(const std::string& state) {
  if (state == "up") return Tone::good;
  return state == "down" ? Tone::bad : Tone::warn;
}

Row row_of(const Seen& seen, const NodeFigures& node) {
  const std::string state = state_of(seen.cluster, node);
  const auto lag = lag_of(seen, node.id);
  const bool health_shown = node.live && !node.health.empty() && node.health != "ok" && node.health != state;
  Row row{std::uint64_t{node.id}, or_dash(node.name), or_dash(node.zone),
          Cell(state + (health_shown ? " (" + node.health + ")" : ""), health_shown ? Tone::warn : tone_of(state))};
  row.emplace_back(std::uint64_t{node.sessions});
  row.emplace_back(std::uint64_t{node.primaries});
  row.emplace_back(std::uint64_t{node.in_sync});
  row.emplace_back(std::uint64_t{node.copies});
  row.emplace_back(lag ? Cell(*lag) : Cell("-"));
  row.back().right = true;
  row.emplace_back(or_dash(node.client_address));
  row.emplace_back(or_dash(node.admin_address));
  row.emplace_back(or_dash(node.version));
  return row;
}

std::string coordinator_line(const ClusterFigures& cluster, WallTime now) {
  if (!cluster.coordinator) return "nobody coordinates";
  const auto& one = *cluster.coordinator;
  const auto since = std::chrono::milliseconds(std::max<std::int64_t>(0, to_ms(now) - one.since_ms));
  return name_of(cluster, one.node) + " coordinates, for " + show_duration(since) + " (term " +
         std::to_string(one.term) + ")";
}

/// "3 copies: 60, 2 copies: 4"
std::string in_sync_line(const ClusterFigures& cluster) {
  std::map<std::size_t, std::size_t, std::greater<>> sizes;
  for (const auto& partition : cluster.partitions) ++sizes[partition.in_sync.size()];
  std::string text;
  for (const auto& [size, partitions] : sizes)
    text += (text.empty() ? "" : ", ") + std::to_string(partitions) + " with " + std::to_string(size);
  return text;
}

void worry_about(const ClusterFigures& cluster, const std::string& what,
                 bool (*is_so)(const ClusterFigures&, const PartitionFigures&), std::vector<std::string>& all) {
  std::vector<std::uint32_t> found;
  for (const auto& partition : cluster.partitions)
    if (is_so(cluster, partition)) found.push_back(partition.id);
  if (!found.empty()) all.push_back(count(found.size(), "partition") + " " + what + ": " + list(found));
}

std::string meaning_of(const std::string& health) {
  if (health == "full") return "its disk is nearly full, it takes no writes";
  if (health == "slow") return "its disk answers late, it is to lead nothing";
  if (health == "late") return "it gets too little processor time, and accuses nobody";
  if (health == "draining") return "it is being stopped, or stands aside, and sends its clients to other nodes";
  return health;
}

void worry_about_node(const ClusterFigures& cluster, const NodeFigures& node, std::vector<std::string>& all) {
  const std::string name = name_of(cluster, node.id);
  if (!node.live) all.push_back(name + " is down");
  if (node.live && !node.health.empty() && node.health != "ok")
    all.push_back(name + " is " + node.health + ": " + meaning_of(node.health));
  if (node.draining)
    all.push_back(name + " is kept from leading until it is undrained (holdfastctl undrain " + name + ")");
}

/// There is a node that could hold a copy more.
bool has_too_few_copies(const ClusterFigures& cluster, const PartitionFigures& partition) {
  return partition.replicas.size() < cluster.copies && std::any_of(
                                                           cluster.nodes.begin(), cluster.nodes.end(),
                                                           [&](const NodeFigures& node) {
                                                             return node.live && !node.draining &&
                                                                    !contains(partition.replicas, node.id);
                                                           });
}

std::size_t live_in_sync(const ClusterFigures& cluster, const PartitionFigures& partition) {
  return static_cast<std::size_t>(std::count_if(partition.in_sync.begin(), partition.in_sync.end(),
                                                [&](std::uint32_t node) { return is_live(cluster, node); }));
}

}  // namespace

std::optional<std::uint64_t> lag_of(const Seen& seen, std::uint32_t node) {
  std::optional<std::uint64_t> worst;
  for (const auto& [asked, figures] : seen.copies)
    for (const auto& copy : figures.copies)
      for (const auto& other : copy.others) {
        if (other.node != node) continue;
        const std::uint64_t behind = copy.last_seq > other.matched ? copy.last_seq - other.matched : 0;
        worst = std::max(worst.value_or(0), behind);
      }
  return worst;
}

std::string state_of(const ClusterFigures&, const NodeFigures& node) {
  if (!node.live) return "down";
  if (node.draining) return node.primaries == 0 ? "drained" : "draining";
  return node.life == "suspect" ? "suspect" : "up";
}

bool is_drained(const ClusterFigures& cluster, const NodeFigures& node) {
  if (!node.draining || node.primaries > 0) return false;
  std::size_t wanted = 0;
  for (const auto& partition : cluster.partitions) wanted = std::max(wanted, partition.replicas.size());
  const auto others = std::count_if(cluster.nodes.begin(), cluster.nodes.end(),
                                    [](const NodeFigures& other) { return other.live && !other.draining; });
  return node.copies == 0 || static_cast<std::size_t>(others) < wanted;
}

std::string show_drain(const ClusterFigures& cluster, const NodeFigures& node) {
  return name_of(cluster, node.id) + ": leads " + count(node.primaries, "partition") + ", holds " +
         std::to_string(node.copies) + (node.copies == 1 ? " copy" : " copies");
}

std::string name_of(const ClusterFigures& cluster, std::uint32_t id) {
  const NodeFigures* node = node_of(cluster, id);
  return node == nullptr || node->name.empty() ? "node " + std::to_string(id) : node->name;
}

Result<NodeFigures> find_node(const ClusterFigures& cluster, std::string_view name) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  std::string there;
  for (const NodeFigures& node : cluster.nodes) {
    if (node.name == name) return node;
    there += (there.empty() ? "" : ", ") + std::to_string(node.id) + (node.name.empty() ? "" : " (" + node.name + ")");
  }
  const NodeFigures* found = is_number ? node_of(cluster, number) : nullptr;
  if (found != nullptr) return *found;
  return Error{Errc::invalid_argument, "there is no node '" + std::string(name) + "'; the nodes are " + there};
}

std::vector<std::string> worries(const ClusterFigures& cluster) {
  std::vector<std::string> all;
  for (const auto& node : cluster.nodes) worry_about_node(cluster, node, all);
  if (!cluster.coordinator) all.emplace_back("nobody coordinates: no partition would get a new primary");
  if (!cluster.safe_mode.empty()) all.push_back("safe mode, nothing is promoted: " + cluster.safe_mode);
  worry_about(
      cluster, "without a live primary (they serve nobody)",
      [](const ClusterFigures& c, const PartitionFigures& p) { return !is_live(c, p.primary); }, all);
  worry_about(
      cluster, "with too few live copies to take writes",
      [](const ClusterFigures& c, const PartitionFigures& p) { return live_in_sync(c, p) < p.min_isr; }, all);
  worry_about(
      cluster, "with copies that are not in sync (being filled, or their node is away)",
      [](const ClusterFigures&, const PartitionFigures& p) { return p.in_sync.size() < p.replicas.size(); }, all);
  worry_about(cluster, "with fewer copies than " + std::to_string(cluster.copies) + ", though there are nodes for them",
              has_too_few_copies, all);
  for (const auto& problem : cluster.problems) all.push_back("configuration store: " + problem);
  return all;
}

std::string show_duration(std::chrono::milliseconds time) {
  const auto seconds = time.count() / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86'400) + " d";
}

std::string show_status(const Seen& seen, WallTime now, bool colour) {
  const ClusterFigures& cluster = seen.cluster;
  std::string out = count(cluster.nodes.size(), "node") + ", " + count(cluster.partitions.size(), "partition") + "; " +
                    coordinator_line(cluster, now) + ".\n";
  std::vector<Row> rows;
  for (const auto& node : cluster.nodes) rows.push_back(row_of(seen, node));
  out += "\n" + render_table({"NODE", "NAME", "ZONE", "STATE", "SESSIONS", "PRIMARIES", "IN SYNC", "COPIES", "LAG",
                              "CLIENTS", "OPERATORS", "VERSION"},
                             rows, colour);
  out += "\nPartitions by copies in sync: " + in_sync_line(cluster) + ".\n";
  const auto all = worries(cluster);
  if (all.empty()) return out + toned("All is well.", Tone::good, colour) + "\n";
  for (const auto& one : all) out += toned("! " + one, Tone::warn, colour) + "\n";
  return out;
}

std::string show_partition(const ClusterFigures& cluster, const http::PartitionDetail& detail, bool colour) {
  const PartitionFigures& partition = detail.configured;
  const http::CopyFigures& here = detail.here;
  std::string out = "Partition " + std::to_string(partition.id) + ", epoch " + std::to_string(partition.epoch) +
                    ": primary " + name_of(cluster, partition.primary) + ", in sync " +
                    std::to_string(partition.in_sync.size()) + " of " + std::to_string(partition.replicas.size()) +
                    ", writes want " + std::to_string(partition.min_isr) + ".\n";
  out += "At " + name_of(cluster, detail.self) + ": " + here.role + (here.serving ? ", serves" : "") + ", log to " +
         std::to_string(here.last_seq) + " (epoch " + std::to_string(here.epoch) + "), committed to " +
         std::to_string(here.committed) + ", chain " + here.chain.substr(0, 16) + "…\n";
  std::vector<Row> rows;
  for (const std::uint32_t id : partition.replicas) {
    const auto other =
        std::find_if(here.others.begin(), here.others.end(), [&](const auto& one) { return one.node == id; });
    const bool known = other != here.others.end();
    Row row{name_of(cluster, id), id == partition.primary ? "primary" : "backup"};
    const bool in_sync = contains(partition.in_sync, id);
    row.emplace_back(in_sync ? "yes" : "no", in_sync ? Tone::good : Tone::warn);
    row.emplace_back(is_live(cluster, id) ? "up" : "down", is_live(cluster, id) ? Tone::good : Tone::bad);
    const std::string log = id == detail.self ? std::to_string(here.last_seq)
                            : known           ? std::to_string(other->matched)
                                              : "-";
    row.emplace_back(log);
    row.emplace_back(known ? std::to_string(here.last_seq - std::min(here.last_seq, other->matched)) : "-");
    row[4].right = row[5].right = true;
    rows.push_back(std::move(row));
  }
  return out + "\n" + render_table({"NODE", "ROLE", "IN SYNC", "STATE", "LOG TO", "LAG"}, rows, colour);
}

std::string show_event(const ClusterFigures& cluster, const http::EventFigures& event, bool colour) {
  const std::time_t seconds = static_cast<std::time_t>(event.time_ms / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 32> time{};
  std::strftime(time.data(), time.size(), "%F %T", &local);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03d", static_cast<int>(event.time_ms % 1000));
  const bool bad = event.kind == "dead" || event.kind == "problem" || event.kind == "safe_mode";
  std::string line =
      std::string(time.data()) + fraction.data() + "  " + toned(event.kind, bad ? Tone::bad : Tone::plain, colour);
  if (event.node != 0) line += " " + name_of(cluster, event.node);
  if (event.partitions != 0) line += ", " + count(event.partitions, "partition");
  if (event.took_ms != 0) line += ", after " + std::to_string(event.took_ms) + " ms";
  if (!event.text.empty()) line += ": " + event.text;
  return line + "  [seen by " + name_of(cluster, event.by) + "]\n";
}

}  // namespace holdfast::ctl
