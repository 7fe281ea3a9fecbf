/// holdfast-load storm and catchup, small, against a real server; and what they say when something is wrong.
#include <signal.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/integration/load_run.h"
#include "tests/integration/shared_server.h"

namespace holdfast {
namespace {

using testing::check_well;
using testing::contents_of;
using testing::LoadRun;
using testing::run_load;
using testing::ScratchFolder;
using testing::ServerProcess;
using testing::shared_server;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The shell command that starts the server again, and the process that came of it, which goes with this.
class Restart {
 public:
  Restart(const ServerProcess& server, const std::string& before) {
    std::string line = before + " echo $$ > " + pid_file() + "; exec";
    for (const std::string& word : server.command()) line += " " + word;
    std::ofstream(folder_.path() / "restart.sh") << line << "\n";
  }
  ~Restart() {
    pid_t process = 0;
    std::ifstream(pid_file()) >> process;
    if (process > 0) ::kill(process, SIGKILL);
  }
  std::string command() const { return "/bin/sh " + (folder_.path() / "restart.sh").string(); }

 private:
  std::string pid_file() const { return (folder_.path() / "pid").string(); }
  ScratchFolder folder_;
};

}  // namespace

TEST_CASE("holdfast-load storm: everybody is back and has seen everything, and the figures say so") {
  const LoadRun run = run_load(shared_server(), {"storm", "--sessions", "60", "--at-once", "--behind", "7"});
  check_well(run);
  CHECK(run.number("sessions") == 60);
  CHECK(run.number("resumed") == 60);
  CHECK(run.number("messages_shown") == 60 * 7);
  CHECK(run.number("refused") == 0);
  CHECK(run.number("resumed_per_s") > 0);
  CHECK(run.number("all_back_s") > 0);
  CHECK(run.number("resume_ms", "count") == 60);
  CHECK(run.number("caught_up_ms", "p50") >= run.number("resume_ms", "p50"));
  CHECK(run.number("resume_ms", "p99") <= run.number("resume_ms", "max"));
  CHECK(run.number("connect_ms", "p50") <= run.number("resume_ms", "p50"));
  CHECK(run.number("server_cpu_us_per_resume") > 0);
  CHECK(run.number("server_resident_mib_max") > 1);
  CHECK(has(run.page, "<polyline"));
}

TEST_CASE("holdfast-load storm: over TLS, with passwords and talk meanwhile") {
  const LoadRun run =
      run_load(shared_server(), {"storm", "--tls", "--sessions", "40", "--over", "0.5", "--behind", "2", "--logins",
                                 "10", "--live-pairs", "4", "--live-rate", "40", "--live-before", "0.5"});
  check_well(run);
  CHECK(run.number("resumed") == 36);
  CHECK(run.number("logged_in") == 4);
  CHECK(run.number("log_in_ms", "count") == 4);
  CHECK(run.number("live_before_ms", "count") > 0);
  CHECK(run.number("live_during_ms", "count") > 0);
}

TEST_CASE("holdfast-load storm: over WebSocket, from two processes") {
  const LoadRun run =
      run_load(shared_server(), {"storm", "--ws", "--sessions", "30", "--behind", "1", "--processes", "2"});
  check_well(run);
  CHECK(run.number("resumed") == 30);
  CHECK(run.number("generator_processes") == 2);
}

TEST_CASE("holdfast-load catchup: every one of the missed messages is shown") {
  const LoadRun run = run_load(shared_server(), {"catchup", "--sessions", "20", "--behind", "150"});
  check_well(run);
  CHECK(run.number("messages_shown") == 20 * 150);
  CHECK(run.number("messages_per_s") > 0);
  CHECK(run.number("caught_up_ms", "count") == 20);
}

TEST_CASE("holdfast-load storm: a server that is killed under the sessions and started again has everybody back") {
  ServerProcess server;
  const Restart restart(server, "");
  const LoadRun run =
      run_load(server, {"storm", "--sessions", "30", "--behind", "40", "--kill-pid", std::to_string(server.pid()),
                        "--kill-after", "1", "--restart-with", restart.command(), "--live-pairs", "3", "--live-rate",
                        "30", "--live-before", "0.5"});
  check_well(run);
  CHECK(run.number("disturbed") == 30);
  CHECK(run.number("resumed") == 30);
  CHECK(run.number("unreachable") + run.number("refused") + run.number("timed_out") >= 0);
  CHECK(has(run.page, "a node is killed"));
  CHECK(has(run.page, "class=\"fault\""));
}

TEST_CASE("holdfast-load storm: over TLS each session resumes its handshake by its own ticket, also after a restart") {
  for (const bool fresh : {false, true}) {
    ServerProcess server;
    const Restart restart(server, "");
    std::vector<std::string> arguments = {
        "storm", "--tls",          "--sessions",     "60", "--kill-pid", std::to_string(server.pid()), "--kill-after",
        "1",     "--restart-with", restart.command()};
    if (fresh) arguments.emplace_back("--fresh-tls");
    const LoadRun run = run_load(server, arguments);
    check_well(run);
    CHECK(run.number("resumed") == 60);
    CHECK(run.number("tls_handshakes") >= 60);
    // A handshake that was cut half-way has used up its ticket.
    if (fresh)
      CHECK(run.number("tls_resumed") == 0);
    else
      CHECK(run.number("tls_resumed") > 45);
  }
}

TEST_CASE("holdfast-load storm: a server that comes back without its data is noticed") {
  ServerProcess server;
  const Restart restart(server, "rm -rf " + server.data().string() + "/log " + server.data().string() + "/state " +
                                    server.data().string() + "/log.floor " + server.data().string() + "/format " +
                                    server.data().string() + "/store_id;");
  const LoadRun run = run_load(server, {"storm", "--sessions", "10", "--kill-pid", std::to_string(server.pid()),
                                        "--kill-after", "1", "--restart-with", restart.command(), "--back-max", "5"});
  INFO(run.ended.out << run.ended.err);
  CHECK(run.ended.exit_code == 1);
  CHECK(has(run.ended.out, "NOT WELL"));
}

TEST_CASE("holdfast-load storm: a server that ends as soon as it was started again is named") {
  ServerProcess server;
  const LoadRun run =
      run_load(server, {"storm", "--sessions", "5", "--behind", "1", "--kill-pid", std::to_string(server.pid()),
                        "--kill-after", "0.5", "--back-max", "2", "--restart-with", "false"});
  CHECK(run.ended.exit_code == 1);
  CHECK(has(run.ended.out, "the server that was started again has ended"));
}

TEST_CASE("holdfast-load storm: a command that was to kill and could not is named") {
  const LoadRun run = run_load(shared_server(), {"storm", "--sessions", "5", "--behind", "1", "--kill-with", "false",
                                                 "--kill-after", "0.5", "--back-max", "2"});
  CHECK(run.ended.exit_code == 1);
  CHECK(has(run.ended.out, "the command that was to kill a node failed: false"));
}

TEST_CASE("holdfast-load storm: those who are never let in over TLS keep nobody from trying, and the storm ends") {
  const ServerProcess server({.config = "[clients]\nconnections_max = 50\n"});
  const LoadRun run =
      run_load(server, {"storm", "--tls", "--sessions", "400", "--at-once", "--back-max", "2", "--processes", "1"});
  INFO(run.ended.out << run.ended.err);
  CHECK(run.ended.exit_code == 1);
  CHECK(run.number("not_back") >= 350);
  CHECK(run.number("resumed") + run.number("not_back") == 400);
}

TEST_CASE("holdfast-load storm: who does not come back is missed") {
  ServerProcess server;
  const LoadRun run = run_load(server, {"storm", "--sessions", "10", "--kill-pid", std::to_string(server.pid()),
                                        "--kill-after", "1", "--back-max", "2"});
  INFO(run.ended.out << run.ended.err);
  CHECK(run.ended.exit_code == 1);
  CHECK(run.number("not_back") == 10);
  CHECK(has(run.ended.out, "not back"));
}

TEST_CASE("holdfast-load storm: a bound that is broken is exit code 1") {
  const LoadRun run = run_load(shared_server(), {"storm", "--sessions", "5", "--memory-max", "1"});
  CHECK(run.ended.exit_code == 1);
  CHECK(has(run.ended.out, "bytes of memory, 1 were allowed"));
}

TEST_CASE("holdfast-load: what can't be is refused, with what to do") {
  const std::pair<std::vector<std::string>, const char*> mistakes[] = {
      {{"storm", "--over", "1", "--at-once"}, "excludes"},
      {{"storm", "--restart-with", "true"}, "nothing is killed"},
      {{"storm", "--kill-node", "/nowhere"}, "no server that runs has the data directory /nowhere"},
      {{"storm", "--fresh-tls"}, "TLS is not spoken"},
      {{"storm", "--server-pid", "x"}, "there is no process x"},
      {{"storm", "--workers-at", "here"}, "write host:port"},
      {{"mix", "--profile", "/nowhere.toml"}, "can't read /nowhere.toml"},
      {{"hostile", "--kind", "rude"}, "none of half-open"},
      {{"groups", "--members", "1"}, "--members"},
  };
  for (const auto& [arguments, words] : mistakes) {
    const LoadRun run = run_load(shared_server(), arguments);
    INFO(run.ended.err << run.ended.out);
    CHECK(run.ended.exit_code == 2);
    CHECK(has(run.ended.err + run.ended.out, words));
  }
}

}  // namespace holdfast
