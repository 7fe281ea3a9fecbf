/// The cluster of the film: its nodes as processes and over their operators' ports.
///
/// Owned by Film, on its one thread. What can't be asked now is nothing; asked again later it may be there.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/endpoint.h"
#include "net/asio.h"
#include "net/listener.h"
#include "server/http/admin_figures.h"

namespace holdfast::demo {

struct DemoNode {
  std::string name;
  client::Endpoint clients;
  HostPort admin;
};

class DemoCluster {
 public:
  /// Reads `nodes` of the folder. Fails with io or invalid_argument.
  static Result<DemoCluster> open(std::string folder);

  const std::vector<DemoNode>& nodes() const { return nodes_; }
  std::string operator_key_file() const { return folder_ + "/" + nodes_.front().name + "/operator.key"; }
  const DemoNode* node(const std::string& name) const;

  /// SIGKILL. False if it was not running.
  bool kill_hard(const DemoNode& node);
  bool is_running(const DemoNode& node) const;
  /// With the data it has, by its script.
  bool start(const DemoNode& node);

  /// From any node but this one.
  Awaitable<std::optional<http::ClusterFigures>> look(std::string but_not = {});
  Awaitable<std::optional<http::EventsFigures>> events(HostPort admin, std::uint64_t since);
  Awaitable<Status> post(HostPort admin, std::string target);

 private:
  explicit DemoCluster(std::string folder) : folder_(std::move(folder)) {}
  pid_t pid_of(const DemoNode& node) const;

  std::string folder_;
  std::vector<DemoNode> nodes_;
};

/// All nodes live, and every partition is in sync on three of them (or all, if there are fewer).
bool is_whole(const http::ClusterFigures& cluster, std::size_t nodes);
/// Primaries are spread.
bool is_even(const http::ClusterFigures& cluster);
std::size_t copies_in_sync(const http::ClusterFigures& cluster);

}  // namespace holdfast::demo
