#include "tools/holdfast-demo/cluster.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "net/http.h"
#include "tools/holdfastctl/figures.h"

namespace holdfast::demo {
namespace {

constexpr std::chrono::milliseconds kAnswerMax{1'000};

/// proc(5): the state comes behind the last parenthesis.
bool lives(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const auto close = line.rfind(") ");
  return close != std::string::npos && line[close + 2] != 'Z' && line[close + 2] != 'X';
}

}  // namespace

Result<DemoCluster> DemoCluster::open(std::string folder) {
  DemoCluster cluster(std::move(folder));
  std::ifstream file(cluster.folder_ + "/nodes");
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string name, clients, admin;
    words >> name >> clients >> admin;
    auto endpoint = client::parse_endpoint(clients);
    if (!endpoint) return endpoint.error();
    auto port = parse_host_port(admin);
    if (!port) return port.error();
    cluster.nodes_.push_back({name, *endpoint, *port});
  }
  if (cluster.nodes_.size() < 3)
    return Error{Errc::io, cluster.folder_ + "/nodes does not list three nodes: ./dev demo makes such a cluster"};
  return cluster;
}

const DemoNode* DemoCluster::node(const std::string& name) const {
  for (const DemoNode& one : nodes_)
    if (one.name == name) return &one;
  return nullptr;
}

pid_t DemoCluster::pid_of(const DemoNode& node) const {
  std::ifstream file(folder_ + "/" + node.name + ".pid");
  pid_t pid = 0;
  file >> pid;
  return pid;
}

bool DemoCluster::is_running(const DemoNode& node) const {
  const pid_t pid = pid_of(node);
  return pid > 0 && lives(pid);
}

bool DemoCluster::kill_hard(const DemoNode& node) { return is_running(node) && ::kill(pid_of(node), SIGKILL) == 0; }

/// Forked twice: the server is to outlive us, and whoever started the cluster stops it by its pid.
bool DemoCluster::start(const DemoNode& node) {
  const std::string script = folder_ + "/" + node.name + ".sh";
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    const int null = ::open("/dev/null", O_RDWR);
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, descriptor);
    ::close_range(3, ~0U, 0);
    ::execl(script.c_str(), script.c_str(), nullptr);
    ::_exit(127);
  }
  return ::waitpid(child, nullptr, 0) == child;
}

Awaitable<std::optional<http::ClusterFigures>> DemoCluster::look(std::string but_not) {
  for (const DemoNode& node : nodes_) {
    if (node.name == but_not) continue;
    HttpRequest request;
    request.method = "GET";
    request.target = "/admin/cluster";
    const auto response = co_await fetch_http(node.admin, std::move(request), kAnswerMax);
    if (!response || response->status != 200) continue;
    auto figures = ctl::parse_cluster(response->body);
    if (figures) co_return std::move(*figures);
  }
  co_return std::nullopt;
}

Awaitable<std::optional<http::EventsFigures>> DemoCluster::events(HostPort admin, std::uint64_t since) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/admin/events?since=" + std::to_string(since);
  const auto response = co_await fetch_http(std::move(admin), std::move(request), kAnswerMax);
  if (!response || response->status != 200) co_return std::nullopt;
  auto events = ctl::parse_events(response->body);
  if (!events) co_return std::nullopt;
  co_return std::move(*events);
}

Awaitable<Status> DemoCluster::post(HostPort admin, std::string target) {
  std::ifstream file(operator_key_file());
  std::string key;
  std::getline(file, key);
  HttpRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.emplace_back("Authorization", "Bearer " + key);
  const auto response = co_await fetch_http(std::move(admin), std::move(request), kAnswerMax);
  if (!response) co_return response.error();
  if (response->status != 202)
    co_return Error{Errc::io,
                    ctl::parse_error(response->body).value_or("it answered " + std::to_string(response->status))};
  co_return Ok{};
}

bool is_whole(const http::ClusterFigures& cluster, std::size_t nodes) {
  const auto live = [&](std::uint32_t id) {
    return std::any_of(cluster.nodes.begin(), cluster.nodes.end(),
                       [&](const auto& node) { return node.id == id && node.live; });
  };
  return !cluster.partitions.empty() &&
         std::count_if(cluster.nodes.begin(), cluster.nodes.end(), [](const auto& node) { return node.live; }) ==
             static_cast<std::ptrdiff_t>(nodes) &&
         std::all_of(cluster.partitions.begin(), cluster.partitions.end(), [&](const auto& partition) {
           return partition.in_sync.size() == std::min<std::size_t>(3, nodes) && live(partition.primary);
         });
}

std::size_t copies_in_sync(const http::ClusterFigures& cluster) {
  std::size_t all = 0;
  for (const auto& partition : cluster.partitions) all += partition.in_sync.size();
  return all;
}

bool is_even(const http::ClusterFigures& cluster) {
  return std::all_of(cluster.nodes.begin(), cluster.nodes.end(), [&](const auto& node) {
    return node.primaries + 2 >= cluster.partitions.size() / cluster.nodes.size();
  });
}

}  // namespace holdfast::demo
