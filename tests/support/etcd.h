/// A real etcd cluster of one or three members as child processes: on free loopback ports, in a folder of its own, to be
/// killed, frozen and started again.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread. The members die
/// with their EtcdCluster, and with this process whatever way that ends. `etcd` and `etcdctl` are found on the path.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/storage/temp_directory.h"

namespace holdfast::testing {

struct EtcdTls {
  std::string ca_file, certificate_file, key_file;  ///< of the members, who want their clients' certificates too
};

/// A certificate for 127.0.0.1 that is its own authority, good for members and for clients; made by `openssl`.
EtcdTls make_etcd_certificate(const std::filesystem::path& folder, const std::string& name);

struct EtcdClusterOptions {
  unsigned members = 1;
  EtcdTls tls = {};                    ///< empty: none
  std::uint64_t quota_bytes = 0;       ///< what the store may grow to; 0: etcd's default
  std::vector<std::string> more = {};  ///< further arguments of every member
};

class EtcdCluster {
 public:
  /// Started, and answering linearizable reads.
  explicit EtcdCluster(EtcdClusterOptions options = {});
  ~EtcdCluster();
  EtcdCluster(const EtcdCluster&) = delete;
  EtcdCluster& operator=(const EtcdCluster&) = delete;

  unsigned size() const { return static_cast<unsigned>(members_.size()); }
  std::string endpoint(unsigned member) const;  ///< host:port
  std::string endpoints() const;                ///< host:port,host:port…
  /// "etcd://…/prefix", or etcds.
  std::string address(const std::string& prefix = "test") const;
  pid_t pid(unsigned member) const { return members_.at(member).pid; }

  /// The member that leads; asks until there is one.
  unsigned leader();
  /// SIGKILL, and waits until it is gone.
  void kill(unsigned member);
  /// With the data it had; waits until it answers.
  void start(unsigned member);
  /// SIGSTOP and SIGCONT.
  void pause(unsigned member);
  void resume(unsigned member);
  /// Runs etcdctl against all members; it must succeed. Gives what it wrote.
  std::string etcdctl(const std::vector<std::string>& arguments);

 private:
  struct Member {
    std::uint16_t client_port = 0, peer_port = 0, metrics_port = 0;
    pid_t pid = 0;
  };
  std::vector<std::string> command(unsigned member) const;
  void launch(unsigned member);
  void reap(unsigned member);
  void wait_until_ready(unsigned member);
  std::string log_of(unsigned member) const;

  TempDirectory folder_;
  EtcdClusterOptions options_;
  std::vector<Member> members_;
};

}  // namespace holdfast::testing
