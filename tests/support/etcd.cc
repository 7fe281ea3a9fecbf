#include "tests/support/etcd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/random.h"

namespace holdfast::testing {
namespace {

constexpr std::chrono::seconds kStartMax{30};
constexpr std::chrono::milliseconds kAskAgain{10};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return where;
}

/// Below those that the kernel hands to outgoing connections.
std::uint16_t free_port() {
  SystemRandom random;
  for (int tries = 0; tries < 1'000; ++tries) {
    const auto port = static_cast<std::uint16_t>(10'000 + random.below(20'000));
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in where = loopback(port);
    const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    ::close(probe);
    if (free) return port;
  }
  FAIL("no free port");
  return 0;
}

/// Dies with this thread, whatever way that ends. The program is found on the path; its output goes to the file.
pid_t spawn(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  REQUIRE(out >= 0);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Only what is safe between fork and exec.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(out);
  return child;
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// To its end, which must be good; what it wrote, also to the file.
std::string run(const std::vector<std::string>& command, const std::filesystem::path& output) {
  std::filesystem::remove(output);
  const pid_t child = spawn(command, output);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  const std::string said = contents(output);
  INFO(said);
  REQUIRE(status == 0);
  return said;
}

/// What a member's plain HTTP listener answers; empty if nothing does (within a second).
std::string http_get(std::uint16_t port, const std::string& path) {
  const int peer = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in where = loopback(port);
  std::string answer;
  if (::connect(peer, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    (void)!::write(peer, request.data(), request.size());
    std::array<char, 4096> some;
    for (pollfd readable{peer, POLLIN, 0}; ::poll(&readable, 1, 1'000) == 1;) {
      const auto got = ::read(peer, some.data(), some.size());
      if (got <= 0) break;
      answer.append(some.data(), static_cast<std::size_t>(got));
    }
  }
  ::close(peer);
  return answer;
}

/// Asks again and again; what it asks for is an event in another process that tells nobody.
template <class Question>
bool ask_until(Question is_so) {
  const auto end = std::chrono::steady_clock::now() + kStartMax;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(kAskAgain);
  }
  return true;
}

}  // namespace

EtcdTls make_etcd_certificate(const std::filesystem::path& folder, const std::string& name) {
  const std::string certificate = folder / (name + ".pem"), key = folder / (name + ".key");
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
       "-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate},
      folder / (name + ".out"));
  return {certificate, certificate, key};
}

EtcdCluster::EtcdCluster(EtcdClusterOptions options) : options_(std::move(options)) {
  for (unsigned i = 0; i < options_.members; ++i) members_.push_back({free_port(), free_port(), free_port(), 0});
  for (unsigned i = 0; i < size(); ++i) launch(i);
  for (unsigned i = 0; i < size(); ++i) wait_until_ready(i);
}

EtcdCluster::~EtcdCluster() {
  for (Member& member : members_) {
    if (member.pid <= 0) continue;
    ::kill(member.pid, SIGKILL);
    ::waitpid(member.pid, nullptr, 0);
  }
}

std::string EtcdCluster::endpoint(unsigned member) const {
  return "127.0.0.1:" + std::to_string(members_.at(member).client_port);
}

std::string EtcdCluster::endpoints() const {
  std::string all = endpoint(0);
  for (unsigned i = 1; i < size(); ++i) all += "," + endpoint(i);
  return all;
}

std::string EtcdCluster::address(const std::string& prefix) const {
  return (options_.tls.ca_file.empty() ? "etcd://" : "etcds://") + endpoints() + "/" + prefix;
}

std::vector<std::string> EtcdCluster::command(unsigned member) const {
  const auto name = [](unsigned i) { return "m" + std::to_string(i); };
  const auto peer_url = [this](unsigned i) { return "http://127.0.0.1:" + std::to_string(members_[i].peer_port); };
  std::string cluster;
  for (unsigned i = 0; i < size(); ++i) cluster += (i == 0 ? "" : ",") + name(i) + "=" + peer_url(i);
  const bool tls = !options_.tls.ca_file.empty();
  const std::string client_url = (tls ? "https://" : "http://") + endpoint(member);
  std::vector<std::string> command = {
      "etcd",
      "--name=" + name(member),
      "--data-dir=" + (folder_ / name(member)).string(),
      "--listen-client-urls=" + client_url,
      "--advertise-client-urls=" + client_url,
      "--listen-peer-urls=" + peer_url(member),
      "--initial-advertise-peer-urls=" + peer_url(member),
      "--listen-metrics-urls=http://127.0.0.1:" + std::to_string(members_[member].metrics_port),
      "--initial-cluster=" + cluster,
      "--initial-cluster-token=test",
      "--heartbeat-interval=50",
      "--election-timeout=500",
      "--auto-compaction-mode=revision",
      "--auto-compaction-retention=1000",
      "--logger=zap",
      "--log-level=warn"};
  if (tls) {
    command.insert(command.end(),
                   {"--cert-file=" + options_.tls.certificate_file, "--key-file=" + options_.tls.key_file,
                    "--client-cert-auth", "--trusted-ca-file=" + options_.tls.ca_file});
  }
  if (options_.quota_bytes != 0) command.push_back("--quota-backend-bytes=" + std::to_string(options_.quota_bytes));
  command.insert(command.end(), options_.more.begin(), options_.more.end());
  return command;
}

void EtcdCluster::launch(unsigned member) {
  REQUIRE(members_.at(member).pid == 0);
  members_[member].pid = spawn(command(member), folder_ / ("log" + std::to_string(member)));
}

void EtcdCluster::reap(unsigned member) {
  REQUIRE(::waitpid(members_.at(member).pid, nullptr, 0) == members_[member].pid);
  members_[member].pid = 0;
}

std::string EtcdCluster::log_of(unsigned member) const { return contents(folder_ / ("log" + std::to_string(member))); }

void EtcdCluster::wait_until_ready(unsigned member) {
  const bool ready = ask_until([&] {
    if (::waitpid(members_[member].pid, nullptr, WNOHANG) != 0) {
      members_[member].pid = 0;
      FAIL("etcd ended instead of starting\n" << log_of(member));
    }
    return http_get(members_[member].metrics_port, "/health").find("\"health\":\"true\"") != std::string::npos;
  });
  if (!ready) FAIL("etcd does not become healthy\n" << log_of(member));
}

unsigned EtcdCluster::leader() {
  unsigned found = 0;
  const bool is_led = ask_until([&] {
    for (unsigned i = 0; i < size(); ++i) {
      if (members_[i].pid == 0) continue;
      if (http_get(members_[i].metrics_port, "/metrics").find("\netcd_server_is_leader 1") == std::string::npos)
        continue;
      found = i;
      return true;
    }
    return false;
  });
  if (!is_led) FAIL("etcd has no leader");
  return found;
}

void EtcdCluster::kill(unsigned member) {
  ::kill(pid(member), SIGKILL);
  reap(member);
}

void EtcdCluster::start(unsigned member) {
  launch(member);
  wait_until_ready(member);
}

void EtcdCluster::pause(unsigned member) {
  REQUIRE(::kill(pid(member), SIGSTOP) == 0);
  // It is stopped when the kernel says so, not when the signal was sent.
  REQUIRE(::waitpid(pid(member), nullptr, WUNTRACED) == pid(member));
}

void EtcdCluster::resume(unsigned member) { REQUIRE(::kill(pid(member), SIGCONT) == 0); }

std::string EtcdCluster::etcdctl(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"env", "ETCDCTL_API=3", "etcdctl", "--endpoints=" + endpoints()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command, folder_ / "etcdctl");
}

}  // namespace holdfast::testing
