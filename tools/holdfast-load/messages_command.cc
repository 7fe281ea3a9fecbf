// The command line of `holdfast-load messages`.
#include "tools/holdfast-load/messages_command.h"

#include <CLI/CLI.hpp>

namespace holdfast::load {
namespace {

constexpr const char* kFooter = R"(
Every message is checked, live at both ends and afterwards in the history as a new session reads it. With --rate a
latency counts from the moment at which the message was planned to go, so a server that stands still looks as slow as
it is; without, each sender keeps --ahead messages unanswered.

Users are provisioned by the operator's key and named load-RUN-N; each run takes new ones. They stay.

Exit codes: 0 all is well; 1 messages lost, duplicated, out of order or refused, or a session that did not resume;
  2 wrong usage; 3 could not start: no connection, no operator rights.

--json writes one object. Its keys, which stay: sent, acked, delivered, put_off (refused for the moment and sent again); acked_per_s, delivered_per_s; ack_ms and
delivery_ms, each with p50, p99, p999, max; lost, duplicated, out_of_order, errors; resumed (sessions that went on after
a lost connection), logins (with a password: 0); server_cpu_us_per_message (processor time for each message delivered;
null where the server's process is not known); kills; unacknowledged (never answered); history_checked (messages read
back); pairs, seconds, rate, ahead, body_bytes; server_pid (the last one, or null).
)";

void add_load(CLI::App& app, Options& options, double& seconds, double& warmup, double& settle) {
  app.add_option("--pairs", options.pairs, "conversations, each of a sender and a receiver [100]")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--seconds", seconds, "how long to send and measure [10]")->check(CLI::PositiveNumber);
  app.add_option("--warmup", warmup, "seconds of the same before measuring; checked, too [0]")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--rate", options.rate, "messages a second, all pairs together; 0: as fast as it goes [0]")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--body-bytes", options.body_bytes, "of each message, 32 to 65536 [100]")
      ->check(CLI::Range(32, 65'536));
  app.add_option("--ahead", options.ahead, "messages that one sender has unanswered at most [16]")
      ->check(CLI::Range(1, 1'000));
  app.add_option("--settle", settle, "seconds to wait for what is still under way at the end [60]")
      ->check(CLI::PositiveNumber);
}

void add_kill(CLI::App& app, Options& options, double& kill_every) {
  app.add_option("--server-pid", options.server_pid, "whose processor time to measure [the LOCK beside the key]");
  auto* kill = app.add_option("--kill-pid", options.kill_pid, "kill -9 this server in the middle and restart it")
                   ->check(CLI::PositiveNumber);
  auto* restart = app.add_option("--restart-with", options.restart_command,
                                 "the command that starts it again; it stays after the end, its output is dropped");
  kill->needs(restart);
  restart->needs(kill);
  app.add_option("--kill-every", kill_every, "seconds; kill it again and again")
      ->check(CLI::PositiveNumber)
      ->needs(kill);
}

}  // namespace

struct MessagesCommand::Flags {
  std::string servers = "127.0.0.1:7400";
  bool tls = false;
  bool websocket = false;
  double seconds = 10, warmup = 0, settle = 60, kill_every = 0;
  Options options;
};

MessagesCommand::MessagesCommand(CLI::App& app) : flags_(std::make_unique<Flags>()) {
  Options& options = flags_->options;
  command_ = app.add_subcommand("messages", "pairs of users who write to each other");
  CLI::App& messages = *command_;
  messages.footer(kFooter);
  messages.add_option("-s,--server", flags_->servers, "HOST:PORT, several with commas [127.0.0.1:7400]");
  messages.add_option("--operator-key", options.operator_key_file, "operator.key of the server [data/operator.key]");
  messages.add_flag("--tls", flags_->tls, "speak TLS; without --tls-ca any certificate will do");
  messages.add_option("--tls-ca", options.trust.ca_file, "PEM file of whom to trust; implies --tls");
  messages.add_flag("--ws", flags_->websocket, "speak WebSocket");
  add_load(messages, options, flags_->seconds, flags_->warmup, flags_->settle);
  add_kill(messages, options, flags_->kill_every);
  messages.add_option("--json", options.json_file, "write the figures to this file");
  messages.add_flag("!--skip-history", options.read_history, "don't read the history back at the end");
}

MessagesCommand::~MessagesCommand() = default;
bool MessagesCommand::asked() const { return command_->parsed(); }

Result<Options> MessagesCommand::options() const {
  Options options = flags_->options;
  auto endpoints = client::parse_endpoints(flags_->servers);
  if (!endpoints) return endpoints.error();
  options.endpoints = std::move(*endpoints);
  for (auto& endpoint : options.endpoints) {
    endpoint.tls = endpoint.tls || flags_->tls || !options.trust.ca_file.empty();
    endpoint.websocket = endpoint.websocket || flags_->websocket;
  }
  options.trust.insecure = options.trust.ca_file.empty();
  options.seconds = std::chrono::duration<double>(flags_->seconds);
  options.warmup = std::chrono::duration<double>(flags_->warmup);
  options.settle_max = std::chrono::duration<double>(flags_->settle);
  options.kill_every = std::chrono::duration<double>(flags_->kill_every);
  return options;
}

}  // namespace holdfast::load
