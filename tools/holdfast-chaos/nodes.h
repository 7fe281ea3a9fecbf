/// The nodes of a run: holdfastd as processes, each with its folder, its ports and its certificate.
///
///     <folder>/<name>/holdfast.toml, log, shim     made once
///     <folder>/<name>/disk/data                    the data directory; `disk` is a small file system if disks are to fill
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "clients/cpp/endpoint.h"
#include "tools/holdfast-chaos/child.h"
#include "tools/holdfast-chaos/network.h"
#include "tools/holdfast-chaos/shim/settings.h"

namespace holdfast::chaos {

struct NodeSettings {
  std::filesystem::path folder;
  std::string binary;  ///< holdfastd
  std::string before;  ///< of an earlier build, for a rolling upgrade; may be empty
  std::string shim;    ///< the library to preload; empty: none
  std::string store;   ///< etcd://…
  std::string relay;   ///< smtp://…, to which mails go, soon; empty: none are sent
  std::size_t nodes = 3;
  std::uint16_t partitions = 64;
  bool flap_defaults = false;
  std::uint32_t log_keep_entries = 64;  ///< of each partition: who was away for longer is filled by snapshot
  std::uint64_t flush_bytes = 1 << 20;  ///< the log is trimmed so often
  std::uint64_t disk_bytes = 0;         ///< 0: no file system of its own
};

/// Owned by main; one thread. Blocking. `network` outlives it.
class Nodes {
 public:
  Nodes(NodeSettings settings, const Network& network);
  /// Ends them, and unmounts what was mounted.
  ~Nodes();
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  /// Folders, certificates, disks.
  Status make();
  Status start(std::size_t node, bool before = false);
  Child& child(std::size_t node) { return nodes_[node].child; }
  std::size_t size() const { return nodes_.size(); }
  const std::string& name(std::size_t node) const { return nodes_[node].name; }
  std::filesystem::path data(std::size_t node) const { return nodes_[node].folder / "disk" / "data"; }

  /// How many lines of the node's log, over all of its lives, have this.
  std::size_t log_lines(std::size_t node, std::string_view with) const;

  /// After kill(): what it had is gone.
  Status wipe(std::size_t node);
  Status fill_disk(std::size_t node);
  Status empty_disk(std::size_t node);
  void set_shim(std::size_t node, const shim::Settings& settings);
  bool has_shim() const { return !settings_.shim.empty(); }
  bool has_before() const { return !settings_.before.empty(); }

  std::vector<client::Endpoint> endpoints() const;
  /// As the node has it; the same for all nodes.
  std::filesystem::path operator_key_file(std::size_t node) const { return data(node) / "operator.key"; }
  /// True once its clients' port takes connections.
  bool answers(std::size_t node) const;

 private:
  struct Node {
    std::string name;
    std::filesystem::path folder;
    std::uint16_t client_port = 0, peer_port = 0, http_port = 0, admin_port = 0;
    bool mounted = false;
    Child child;
  };
  Status make(std::size_t node);
  Status mount(std::size_t node);
  Status write_config(std::size_t node) const;

  const NodeSettings settings_;
  const Network& network_;
  std::vector<Node> nodes_;
};

}  // namespace holdfast::chaos
