#include "tools/holdfastctl/options.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "base/version.h"
#include "tools/holdfastctl/audit.h"
#include "tools/holdfastctl/backup.h"
#include "tools/holdfastctl/certs.h"
#include "tools/holdfastctl/cluster_commands.h"
#include "tools/holdfastctl/command.h"
#include "tools/holdfastctl/duration.h"
#include "tools/holdfastctl/export.h"
#include "tools/holdfastctl/incident.h"
#include "tools/holdfastctl/mail_command.h"
#include "tools/holdfastctl/recover_command.h"

namespace holdfast::ctl {

namespace {

constexpr const char* kFooter = R"(
Accounts and keys are changed over --server, a cluster is looked at and changed over --admin; changes want the operator
key, which all nodes of a cluster have in their data directory: --operator-key FILE, or that file's name in
HOLDFAST_OPERATOR_KEY. What operators do is in the
audit journal, which `audit` shows.

provision makes users without a password, each with one session, and prints a line for each: name, user id and
resume token in hex, with tabs between. A name that was provisioned before gets one more session. Tokens are secrets:
--out writes them to a file that only you can read.

reset mails a link to the user's verified address and says so if there is none. recover is for who has no mail: it prints
a code, to be told to its owner and to nobody else, which the page /recover takes once, within a day.

Exit codes: 0 done; 1 refused, or no node answered, or verify found a difference (standard error says why); 2 wrong
usage; 3 (users, keys) could not connect, or the key is not the server's.)";

struct Written {
  std::string servers = "127.0.0.1:7400";
  bool tls = false;
  Asked asked;
  std::string duration;
  std::vector<std::string> names;
  client::ask::StatusChange change;
  WayBack way_back;
  ResetWave wave;
  Deletion deletion;
  bool yes = false;  ///< don't ask
};

int usage(const std::string& message) {
  std::cerr << "holdfastctl: " << message << "\nholdfastctl --help says more.\n";
  return kExitUsage;
}

void add_status(CLI::App* users, Written& written, const char* name, const char* help, v1::AccountStatus status) {
  auto* command = users->add_subcommand(name, help);
  command->add_option("NAME", written.change.username, "the user")->required();
  command->add_option("--reason", written.change.reason, "for the audit log");
  if (status == v1::SUSPENDED)
    command->add_option("--for", written.duration, "30m, 12h, 7d; without it: until restored");
  command->callback([&written, status] { written.change.status = status; });
}

CLI::App* add_way_back(CLI::App* users, Written& written, const char* name, const char* help) {
  auto* command = users->add_subcommand(name, help);
  command->add_option("NAME", written.way_back.username, "the user")->required();
  command->add_option("--reason", written.way_back.reason, "for the audit log")->required();
  return command;
}

CLI::App* add_reset_wave(CLI::App* incident, ResetWave& wave) {
  auto* reset = incident->add_subcommand("reset", "mail many accounts a link that sets a new password");
  reset->add_option("--users", wave.users_file, "a file with a name a line");
  reset->add_option("--since", wave.since, "who was made, or logged in, since: 12h (ago) or 2026-11-29T08:00:00Z");
  reset->add_flag("--all", wave.all, "everybody");
  reset->add_flag("--send", wave.send, "do it; without it: only say whom it would mail");
  reset->add_option("--reason", wave.reason, "what happened: stands in the mail and in the audit log");
  reset->add_option("--per-minute", wave.per_minute, "mails a minute, over all partitions [600]");
  reset->add_option("--wave", wave.wave, "go on with an earlier one");
  return reset;
}

/// Asks on the terminal, unless a script has said yes.
bool is_meant(const Written& written) {
  if (written.yes) return true;
  std::cerr << "This deletes the account of " << written.deletion.username
            << " for good, with its sessions, inbox and list; the name is never given out again.\n"
               "Type the name to go on: ";
  std::string line;
  return std::getline(std::cin, line) && line == written.deletion.username;
}

std::variant<Options, int> complete(const Written& written, Options options) {
  auto endpoints = client::parse_endpoints(written.servers);
  if (!endpoints) return usage(endpoints.error().message);
  options.endpoints = std::move(*endpoints);
  const bool trust_given = !options.trust.ca_file.empty() || !options.trust.pinned_fingerprint.empty();
  for (auto& endpoint : options.endpoints) endpoint.tls = endpoint.tls || written.tls || trust_given;
  options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(written.asked.timeout_s * 1000));
  std::ifstream file(written.asked.key_file);
  if (!std::getline(file, options.key) || options.key.empty())
    return usage("cannot read the operator key from " + written.asked.key_file + " (--operator-key FILE)");
  if (auto* change = std::get_if<client::ask::StatusChange>(&options.task);
      change != nullptr && !written.duration.empty()) {
    const auto duration = parse_duration(written.duration);
    if (!duration) return usage("--for takes a number with s, m, h or d: 30m, 12h, 7d");
    change->suspended_for_s = static_cast<std::uint64_t>(duration->count());
  }
  return options;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  Written written;
  CLI::App app("Operate a Holdfast server.", "holdfastctl");
  app.footer(kFooter);
  app.set_version_flag("--version", "holdfastctl " + std::string(kVersion));
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("-s,--server", written.servers, "host:port or URL, several with commas [127.0.0.1:7400]");
  app.add_option("-k,--operator-key", written.asked.key_file,
                 "the server's operator.key [$HOLDFAST_OPERATOR_KEY or data/operator.key]")
      ->envname("HOLDFAST_OPERATOR_KEY");
  app.add_option("-a,--admin", written.asked.admin, "operators' ports of nodes, several with commas [127.0.0.1:7490]");
  app.add_flag("--tls", written.tls, "speak TLS");
  app.add_option("--tls-ca", options.trust.ca_file, "PEM file of whom to trust; implies --tls");
  app.add_option("--tls-pin", options.trust.pinned_fingerprint, "SHA-256 of the server's certificate; implies --tls");
  app.add_option("--timeout", written.asked.timeout_s, "seconds to try for [10]")->check(CLI::PositiveNumber);

  auto* users = app.add_subcommand("users", "accounts")->require_subcommand(1)->fallthrough();
  add_status(users, written, "suspend", "close an account for a while; its sessions end", v1::SUSPENDED);
  add_status(users, written, "ban", "close an account", v1::BANNED);
  add_status(users, written, "restore", "open it again", v1::ACTIVE);
  auto* provision = users->add_subcommand("provision", "make users without a password");
  provision
      ->add_option("NAME[=ADDRESS]", written.names, "their names; an address that you know to be theirs is verified")
      ->required();
  provision->add_option("-o,--out", options.out, "write to this file, for its owner only");
  auto* reset = add_way_back(users, written, "reset", "mail a link that sets a new password to the user's address");
  auto* recover_user = add_way_back(users, written, "recover", "print a one-time code that sets a new password");
  auto* incident =
      app.add_subcommand("incident", "when something has gone wrong")->require_subcommand(1)->fallthrough();
  auto* reset_wave = add_reset_wave(incident, written.wave);
  auto* deletion = users->add_subcommand("delete", "delete an account for good; asks first");
  deletion->add_option("NAME", written.deletion.username, "the user")->required();
  deletion->add_option("--reason", written.deletion.reason, "for the audit journal")->required();
  deletion->add_flag("--yes", written.yes, "don't ask: for scripts");
  ExportCommand exporting;
  add_export(*users, exporting);
  auto* keys = app.add_subcommand("keys", "keys of the server")->require_subcommand(1)->fallthrough();
  auto* rotate = keys->add_subcommand("rotate", "sign new session tokens with a new key; old ones stay good");
  CertsCommand certs;
  add_certs(app, certs);
  ClusterCommand cluster;
  add_cluster(app, cluster);
  IncidentCommand telling;
  add_incident(*incident, telling);
  AuditCommand audit;
  add_audit(app, audit);
  BackupCommand backup;
  add_backup(app, backup);
  RecoverCommand recover;
  add_recover(app, recover);
  MailCommand mail;
  add_mail(app, mail);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(kExitOk) : static_cast<int>(kExitUsage);
  }
  if (const auto code = run_certs(certs)) return *code;
  if (const auto code = run_mail(mail)) return *code;
  if (const auto code = run_incident(telling, written.asked)) return *code;
  if (const auto code = run_audit(audit, written.asked)) return *code;
  if (const auto code = run_export(exporting, written.asked)) return *code;
  if (const auto code = run_backup(backup, written.asked)) return *code;
  if (const auto code = run_recover(recover, written.asked)) return *code;
  if (const auto code = run_cluster(cluster, written.asked)) return *code;
  if (provision->parsed()) {
    options.task = written.names;
  } else if (deletion->parsed()) {
    options.task = written.deletion;
  } else if (reset->parsed() || recover_user->parsed()) {
    written.way_back.by_code = recover_user->parsed();
    options.task = written.way_back;
  } else if (reset_wave->parsed()) {
    options.task = written.wave;
  } else if (rotate->parsed()) {
    options.task = std::monostate{};
  } else {
    options.task = written.change;
  }
  if (deletion->parsed() && !is_meant(written)) {
    std::cerr << "holdfastctl: nothing was deleted\n";
    return static_cast<int>(kExitRefused);
  }
  return complete(written, std::move(options));
}

}  // namespace holdfast::ctl
