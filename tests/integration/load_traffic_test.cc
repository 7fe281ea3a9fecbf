/// holdfast-load idle, groups and mix, small, against a real server; and from workers elsewhere.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/integration/load_run.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

using testing::check_well;
using testing::free_port;
using testing::LoadRun;
using testing::program;
using testing::run_load;
using testing::run_program;
using testing::ScratchFolder;
using testing::ServerProcess;
using testing::shared_server;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// `holdfast-load worker --listen`, as it would run on another machine; ends with this.
class ListeningWorker {
 public:
  explicit ListeningWorker(const std::string& key_file) {
    int out[2];
    REQUIRE(::pipe(out) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::execl(program("holdfast-load").c_str(), "holdfast-load", "worker", "--listen", "127.0.0.1:0", "--operator-key",
              key_file.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    REQUIRE(has(line, "listening on 127.0.0.1:"));
    address_ = line.substr(line.find("127.0.0.1:"));
  }
  ~ListeningWorker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  pid_t pid_ = -1;
  std::string address_;
};

}  // namespace

TEST_CASE("holdfast-load idle: what a session costs, and what a message costs meanwhile") {
  const LoadRun run = run_load(shared_server(), {"idle", "--sessions", "200", "--seconds", "1", "--rate", "30"});
  check_well(run);
  CHECK(run.number("sessions") == 200);
  CHECK(run.number("server_bytes_per_session") < 100'000);
  CHECK(run.number("message_delivery_ms", "count") == run.number("messages"));
  // Only root may see what the kernel has.
  CHECK(run.json.at("kernel_bytes_per_session").is_null() == (::access("/proc/slabinfo", R_OK) != 0));
}

TEST_CASE("holdfast-load groups: every message reaches every member, whichever process it is in") {
  const LoadRun run =
      run_load(shared_server(), {"groups", "--members", "130", "--rate", "20", "--seconds", "1", "--processes", "2"});
  check_well(run);
  CHECK(run.number("sent") > 0);
  CHECK(run.number("acked") == run.number("sent"));
  CHECK(run.number("delivered") == run.number("sent") * 130);
  CHECK(run.number("delivery_ms", "count") == run.number("delivered"));
}

TEST_CASE("holdfast-load groups: a writer that is refused for the moment is no disorder, in any of the processes") {
  // Far more than this user may send, hundreds under way at once: those refused are overtaken by others behind them.
  const ServerProcess server({.config = "[rates]\nuser_requests_per_s = 200\n"});
  const LoadRun run =
      run_load(server, {"groups", "--members", "6", "--rate", "2000", "--seconds", "1", "--processes", "2"});
  check_well(run);
  CHECK(run.number("put_off") > 0);
  CHECK(run.number("acked") == 2'000);
  CHECK(run.number("delivered") == 2'000 * 6);
}

TEST_CASE("holdfast-load messages: a writer that is refused for the moment is no disorder") {
  const ServerProcess server({.config = "[rates]\nuser_requests_per_s = 300\n"});
  ScratchFolder folder;
  const std::string json = (folder.path() / "figures.json").string();
  const auto ended =
      run_program({program("holdfast-load"), "messages", "-s", "127.0.0.1:" + std::to_string(server.port()),
                   "--operator-key", (server.data() / "operator.key").string(), "--pairs", "2", "--ahead", "400",
                   "--rate", "1500", "--seconds", "1", "--json", json});
  INFO(ended.out << ended.err);
  CHECK(ended.exit_code == 0);
  CHECK(has(ended.out, "refused for the moment, and sent again"));
}

TEST_CASE("holdfast-load mix: a day's mix, with drop-outs and log-ins") {
  ScratchFolder folder;
  const std::string profile = (folder.path() / "day.toml").string();
  std::ofstream(profile) << "sessions = 30\n[rates]\nmessages = 60\ngroup_messages = 10\nreads = 20\ntyping = 10\n"
                            "history = 5\ndrop_outs = 5\nlog_ins = 1\n[groups]\ncount = 2\nmembers = 10\n"
                            "[drop_outs]\naway_min_s = 0.1\naway_max_s = 0.3\n";
  const LoadRun run = run_load(shared_server(), {"mix", "--profile", profile, "--seconds", "2"});
  check_well(run);
  CHECK(run.number("message_delivered") == run.number("message_sent"));
  CHECK(run.number("group_delivered") == run.number("group_sent") * 9);
  CHECK(run.number("drop_outs") > 0);
  CHECK(run.number("resumed") == run.number("drop_outs"));
  CHECK(run.number("logged_in") > 0);
  CHECK(run.number("reads") > 0);
}

TEST_CASE("holdfast-load: workers elsewhere take their shares; who has another key gets none") {
  const std::string key = (shared_server().data() / "operator.key").string();
  const ListeningWorker one(key), other(key);
  const LoadRun run = run_load(shared_server(), {"storm", "--sessions", "20", "--behind", "2", "--workers-at",
                                                 one.address() + "," + other.address()});
  check_well(run);
  CHECK(run.number("resumed") == 20);
  CHECK(run.number("generator_processes") == 2);

  ScratchFolder folder;
  const std::string another = (folder.path() / "operator.key").string();
  std::ofstream(another) << "some other key\n";
  const ListeningWorker stranger(another);
  const LoadRun refused = run_load(shared_server(), {"storm", "--sessions", "2", "--workers-at", stranger.address()});
  INFO(refused.ended.out << refused.ended.err);
  CHECK(refused.ended.exit_code == 3);
  CHECK(has(refused.ended.err, "worker at"));
}

TEST_CASE("holdfast-load: the servers' processor time and memory come from /metrics, too") {
  const LoadRun run = run_load(shared_server(), {"storm", "--sessions", "20", "--metrics",
                                                 "127.0.0.1:" + std::to_string(shared_server().admin_port())});
  check_well(run);
  CHECK(run.number("server_cpu_us_per_resume") >= 0);
  CHECK(run.number("server_resident_mib_max") > 1);
}

}  // namespace holdfast
