/// holdfastd as a child process: in a folder of its own, on free ports, to be killed, stopped and started again.
///
/// For tests only: what can't be done is a failed requirement (Catch2) of the test. Blocking; one thread. The child dies
/// with its ServerProcess, and with this process whatever way that ends. The program is $HOLDFAST_BIN/holdfastd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::testing {

/// A folder that goes with its owner.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How a process ended, and what it had to say.
struct Ended {
  int exit_code = -1;  ///< -1: by a signal
  int signal = 0;
  std::string out, err;
};

/// Runs a program to its end, or to 30 seconds, which fails the test.
Ended run_program(const std::vector<std::string>& command);

struct ServerOptions {
  std::string config = {};          ///< sections of holdfast.toml, besides [passwords], which makes them cheap
  std::string host = "127.0.0.1";   ///< where clients connect
  std::filesystem::path data = {};  ///< empty: in the folder of its own
  std::optional<std::uint64_t> files_max = {};  ///< RLIMIT_NOFILE
  unsigned workers = 2;
  unsigned partitions = 8;
};

class ServerProcess {
 public:
  /// Started, and taking clients.
  explicit ServerProcess(ServerOptions options = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  /// After kill_hard() or stop(): the same data, the same client port.
  void start();
  /// The same, expecting that it does not come up.
  Ended start_and_fail();
  /// SIGKILL, and waits until it is gone.
  void kill_hard();
  /// SIGTERM, and waits until it is gone: 30 seconds at most.
  Ended stop();
  /// Sends SIGTERM; wait_for_end() gives what came of it.
  void ask_to_stop();
  Ended wait_for_end();
  /// With other keys from the next start on.
  void set_config(std::string config);

  bool is_running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_; }              ///< clients
  std::uint16_t admin_port() const { return admin_port_; }  ///< of the present start
  std::uint16_t http_port() const { return http_port_; }
  const std::filesystem::path& data() const { return data_; }
  std::filesystem::path config_file() const { return folder_.path() / "holdfast.toml"; }
  std::filesystem::path certificate() const { return data_ / "tls" / "cert.pem"; }
  std::string operator_key() const;
  const std::string& welcome() const { return welcome_; }
  /// What it wrote to its log since its last start.
  std::string log() const;
  std::vector<std::string> command() const;

 private:
  void launch();
  bool read_welcome();
  Ended reap();

  ScratchFolder folder_;
  ServerOptions options_;
  std::filesystem::path data_;
  std::uint16_t port_ = 0, admin_port_ = 0, http_port_ = 0;
  pid_t pid_ = 0;
  int out_ = -1;  ///< reading end of the child's standard output
  std::string welcome_;
};

/// holdfastctl of this server, with its operators' key.
Ended ctl(const ServerProcess& server, const std::vector<std::string>& arguments);

/// A free port below those that the kernel hands to outgoing connections: a client that tries while its server is down
/// must not be given that very port as its own, and so meet itself.
std::uint16_t free_port(const std::string& host = "127.0.0.1");
/// $HOLDFAST_BIN/name.
std::string program(const std::string& name);
std::string contents_of(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& text);

}  // namespace holdfast::testing
