#include "tools/holdfast-chaos/nodes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "net/cluster_certs.h"
#include "tools/holdfast-chaos/etcd_members.h"

namespace holdfast::chaos {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds kMailDelay{3};  // how long a message waits for a device of its reader

}  // namespace

Nodes::Nodes(NodeSettings settings, const Network& network) : settings_(std::move(settings)), network_(network) {
  for (std::size_t i = 0; i < settings_.nodes; ++i) {
    Node& node = nodes_.emplace_back();
    node.name = "n" + std::to_string(i + 1);
    node.folder = settings_.folder / node.name;
    for (auto* port : {&node.client_port, &node.peer_port, &node.http_port, &node.admin_port})
      *port = free_port("127.0.0.1");
  }
}

Nodes::~Nodes() {
  for (Node& node : nodes_) {
    node.child.kill();
    if (node.mounted) (void)run({"umount", (node.folder / "disk").string()});
  }
}

Status Nodes::make() {
  if (auto made = make_cluster_ca(settings_.folder / "certs"); !made) return made;
  for (std::size_t i = 0; i < size(); ++i)
    if (auto made = make(i); !made) return made;
  return Ok{};
}

Status Nodes::make(std::size_t node) {
  std::error_code failed;
  fs::create_directories(nodes_[node].folder / "disk", failed);
  if (failed) return Error{Errc::io, "can't make " + nodes_[node].folder.string() + ": " + failed.message()};
  if (auto made = make_node_certificate(settings_.folder / "certs", nodes_[node].name, {network_.address(node)}); !made)
    return made;
  if (settings_.disk_bytes > 0)
    if (auto mounted = mount(node); !mounted) return mounted;
  set_shim(node, {});
  return write_config(node);
}

Status Nodes::mount(std::size_t node) {
  const std::string image = nodes_[node].folder / "disk.image";
  std::ofstream(image).close();
  std::error_code failed;
  fs::resize_file(image, settings_.disk_bytes, failed);
  if (failed) return Error{Errc::io, "can't make " + image + ": " + failed.message()};
  if (auto made = run({"mkfs.ext4", "-q", "-F", "-m", "0", image}); !made) return made;
  auto mounted = run({"mount", "-o", "loop", image, (nodes_[node].folder / "disk").string()});
  nodes_[node].mounted = static_cast<bool>(mounted);
  return mounted;
}

Status Nodes::write_config(std::size_t index) const {
  const Node& node = nodes_[index];
  const std::string address = network_.address(index);
  const auto ca = cluster_ca_files(settings_.folder / "certs");
  const auto own = node_certificate_files(settings_.folder / "certs", node.name);
  const auto at = [&](std::uint16_t port) { return "\"" + address + ":" + std::to_string(port) + "\"\n"; };
  std::ofstream out(node.folder / "holdfast.toml");
  out << "data = \"" << data(index).string() << "\"\nlisten = " << at(node.client_port)
      << "http = " << at(node.http_port) << "admin = " << at(node.admin_port)
      << "workers = 1\npartitions = " << settings_.partitions << "\n[clients]\nallow_plaintext = true\n"
      << "[passwords]\nmemory_bytes = 8388608\npasses = 1\n"
      << "[storage]\ndisk_reserve_bytes = 33554432\ncache_bytes = 33554432\nobject_cache_bytes = 33554432\n"
      << "log_keep_entries = " << settings_.log_keep_entries << "\nflush_bytes = " << settings_.flush_bytes << "\n"
      << "[cluster]\nstore = \"" << settings_.store << "\"\nnode_name = \"" << node.name
      << "\"\nlisten = " << at(node.peer_port) << "peer_address = " << at(node.peer_port)
      << "client_address = " << at(node.client_port) << "ca = \"" << ca.certificate << "\"\ncertificate = \""
      << own.certificate << "\"\nkey = \"" << own.key << "\"\n";
  if (!settings_.flap_defaults) out << "flap_window_ms = 0\n";
  // A broken relay is found out sooner than by default, for connections are cut; and nobody's day has too many mails.
  out << "[fallback]\n";
  if (settings_.relay.empty())
    out << "enabled = false\n";
  else
    out << "delay_s = " << kMailDelay.count() << "\nper_day = 10000\n[mail]\nrelays = \"" << settings_.relay
        << "\"\nfrom = \"chat@chaos.test\"\ntimeout_s = 5\n";
  out.flush();
  return out ? Status(Ok{}) : Status(Error{Errc::io, "can't write " + (node.folder / "holdfast.toml").string()});
}

Status Nodes::start(std::size_t index, bool before) {
  Node& node = nodes_[index];
  Command command{{before ? settings_.before : settings_.binary, "--config", (node.folder / "holdfast.toml").string()},
                  (node.folder / "log").string(),
                  network_.name(index)};
  if (has_shim()) {
    command.environment["LD_PRELOAD"] = settings_.shim;
    command.environment["HOLDFAST_CHAOS_SHIM"] = (node.folder / "shim").string();
  }
  return node.child.start(command);
}

std::size_t Nodes::log_lines(std::size_t node, std::string_view with) const {
  std::ifstream log(nodes_[node].folder / "log");
  std::size_t found = 0;
  for (std::string line; std::getline(log, line);) found += line.find(with) != std::string::npos ? 1 : 0;
  return found;
}

Status Nodes::wipe(std::size_t node) {
  std::error_code failed;
  fs::remove_all(data(node), failed);
  return failed ? Status(Error{Errc::io, "can't remove " + data(node).string() + ": " + failed.message()}) : Ok{};
}

Status Nodes::fill_disk(std::size_t node) {
  const auto disk = nodes_[node].folder / "disk";
  std::error_code failed;
  const auto free = fs::space(disk, failed).available;
  const int ballast = ::open((disk / "ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (failed || ballast < 0) return Error{Errc::io, "can't write to " + disk.string()};
  // In pieces: one that is too large for what is left takes nothing.
  off_t size = 0;
  for (auto piece = static_cast<off_t>(free / 2); piece >= 65'536;) {
    if (::posix_fallocate(ballast, size, piece) == 0)
      size += piece;
    else
      piece /= 2;
  }
  ::close(ballast);
  return Ok{};
}

Status Nodes::empty_disk(std::size_t node) {
  std::error_code failed;
  fs::remove(nodes_[node].folder / "disk" / "ballast", failed);
  return failed ? Status(Error{Errc::io, "can't remove the ballast: " + failed.message()}) : Ok{};
}

void Nodes::set_shim(std::size_t node, const shim::Settings& settings) {
  // In place: the node has it mapped.
  const int file = ::open((nodes_[node].folder / "shim").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  HF_CHECK(file >= 0 && ::pwrite(file, &settings, sizeof settings, 0) == sizeof settings, "our own folder is writable");
  ::close(file);
}

std::vector<client::Endpoint> Nodes::endpoints() const {
  std::vector<client::Endpoint> all;
  for (std::size_t i = 0; i < size(); ++i) all.push_back({network_.address(i), nodes_[i].client_port, false, false});
  return all;
}

bool Nodes::answers(std::size_t node) const {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(nodes_[node].client_port);
  ::inet_pton(AF_INET, network_.address(node).c_str(), &where.sin_addr);
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool taken = ::connect(probe, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
  ::close(probe);
  return taken;
}

}  // namespace holdfast::chaos
