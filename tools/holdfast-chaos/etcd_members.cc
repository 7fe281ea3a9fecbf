#include "tools/holdfast-chaos/etcd_members.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"

namespace holdfast::chaos {

std::uint16_t free_port(const std::string& address) {
  SystemRandom random;
  for (int tries = 0; tries < 1'000; ++tries) {
    const auto port = static_cast<std::uint16_t>(10'000 + random.below(20'000));
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    ::inet_pton(AF_INET, address.c_str(), &where.sin_addr);
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    ::close(probe);
    if (free) return port;
  }
  HF_CHECK(false, "some port of twenty thousand is free");
  return 0;
}

EtcdMembers::EtcdMembers(EtcdSettings settings) : settings_(std::move(settings)) {
  for (std::size_t i = 0; i < settings_.members; ++i) {
    Member& member = members_.emplace_back();
    member.client_port = free_port(settings_.address);
    member.peer_port = free_port(settings_.address);
  }
}

Command EtcdMembers::command(std::size_t member) const {
  const auto name = [](std::size_t i) { return "m" + std::to_string(i + 1); };
  const auto peer = [this](std::size_t i) {
    return "http://" + settings_.address + ":" + std::to_string(members_[i].peer_port);
  };
  const std::string client = "http://" + settings_.address + ":" + std::to_string(members_[member].client_port);
  std::string cluster;
  for (std::size_t i = 0; i < members_.size(); ++i) cluster += (i == 0 ? "" : ",") + name(i) + "=" + peer(i);
  return {{"etcd", "--name=" + name(member), "--data-dir=" + settings_.folder + "/" + name(member),
           "--listen-client-urls=" + client, "--advertise-client-urls=" + client, "--listen-peer-urls=" + peer(member),
           "--initial-advertise-peer-urls=" + peer(member), "--initial-cluster=" + cluster,
           "--initial-cluster-token=chaos", "--heartbeat-interval=50", "--election-timeout=500",
           "--auto-compaction-mode=revision", "--auto-compaction-retention=1000", "--logger=zap", "--log-level=warn"},
          settings_.folder + "/" + name(member) + ".log"};
}

Status EtcdMembers::start(std::size_t member) { return members_[member].child.start(command(member)); }

Status EtcdMembers::start() {
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (auto started = start(i); !started) return started;
  return Ok{};
}

std::string EtcdMembers::url() const {
  std::string url;
  for (const Member& member : members_)
    url += (url.empty() ? "etcd://" : ",") + settings_.address + ":" + std::to_string(member.client_port);
  return url + "/chaos";
}

void EtcdMembers::start_dead() {
  for (std::size_t i = 0; i < members_.size(); ++i)
    if (!members_[i].child.runs()) (void)start(i);
}

}  // namespace holdfast::chaos
