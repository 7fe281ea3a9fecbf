#include "tools/holdfast-chat/options.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include "base/version.h"

namespace holdfast::chat {

namespace {

constexpr const char* kFooter = R"(
On a terminal: type to write, /help lists the commands. Elsewhere each line of standard input is a message or a
command, executed one after the other; the program ends when all are answered (or --wait is fulfilled).

The session is kept in the state directory: the next start needs no password.

Exit codes: 0 all went well; 1 a command or message was refused; 2 wrong usage; 3 could not connect or log in;
  4 --timeout ran out; 5 the session was ended (revoked, logged out elsewhere, account suspended or deleted).

--json prints one object a line. "event" names it; ids are hex; times are milliseconds since 1970.
  connected     user, user_id, resumed           the session is up for the first time
  reconnecting  reason, delay_ms                 back: away_ms, node, after that
  moved         node, took_ms                    to another node, without having been away
  message       conversation, name, number, time_ms, author, author_id, own, history, content_type,
                body (or body_hex if not UTF-8), reply_to, edited, deleted, reactions
  edited        … number, target, body           deleted: … target         reacted: … target, reaction, removed
  created, members_added, member_left, role_changed, renamed, delivery_changed, hidden
                what happened to a conversation, with the keys of message up to own
  sent          conversation, number, time_ms, body    the server has it, safely
  typing        conversation, name, user, typing
  positions     conversation, name, user, delivered, read
  presence      user, online
  opened        conversation, name, kind, number
  listed        conversation, name, kind, unread, last_number, muted, pinned, left
  member        user, user_id, role    device: session, name, current, last_seen_ms
  account       user, user_id, email, email_verified, email_failing, created_ms
  blocked       user, user_id
  mail_settings mode, delay_s
  done          command                error: command, code, message       ended: code, reason
)";

std::string default_state_dir() {
  if (const char* own = std::getenv("HOLDFAST_STATE"); own != nullptr && *own != '\0') return own;
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg != '\0')
    return std::string(xdg) + "/holdfast";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : ".") + "/.local/state/holdfast";
}

int usage(const std::string& message) {
  std::cerr << "holdfast-chat: " << message << "\nholdfast-chat --help says more.\n";
  return kExitUsage;
}

/// What CLI11 can't check by itself.
std::optional<std::string> complete(Options& options, const std::string& servers, bool tls, double timeout) {
  auto endpoints = client::parse_endpoints(servers);
  if (!endpoints) return endpoints.error().message;
  options.endpoints = std::move(*endpoints);
  const bool trust_given = !options.trust.ca_file.empty() || !options.trust.pinned_fingerprint.empty();
  for (auto& endpoint : options.endpoints) endpoint.tls = endpoint.tls || tls || trust_given;
  if (timeout > 0) options.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(timeout * 1000));
  if (!options.to.empty() && !options.group.empty()) return "--to and --group exclude each other";
  if (options.state_dir.empty()) options.state_dir = default_state_dir();
  return std::nullopt;
}

}  // namespace

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  std::string servers = "127.0.0.1:7400";
  bool tls = false;
  double timeout = 0;
  CLI::App app("Chat on a Holdfast server.", "holdfast-chat");
  app.footer(kFooter);
  app.set_version_flag("--version", "holdfast-chat " + std::string(kVersion));
  app.add_option("-s,--server", servers,
                 "host:port, or holdfast://, holdfasts:// (TLS), ws://, wss://; several with commas [127.0.0.1:7400]");
  app.add_option("-u,--user", options.user, "who you are; not needed when one session is stored");
  app.add_option("--password-file", options.password_file, "read the password from the first line of this file");
  app.add_flag("--register", options.register_user, "make the account first");
  app.add_option("--email", options.email, "e-mail address, with --register");
  app.add_option("-t,--to", options.to, "open the conversation with this user");
  app.add_option("-g,--group", options.group, "open the group with this title");
  app.add_flag("--tls", tls, "speak TLS");
  app.add_option("--tls-ca", options.trust.ca_file, "PEM file of whom to trust (./data/tls/cert.pem); implies --tls");
  app.add_option("--tls-pin", options.trust.pinned_fingerprint,
                 "SHA-256 of the server's certificate in hex; implies --tls");
  app.add_flag("--json", options.json, "one JSON object a line");
  app.add_option("--state", options.state_dir, "where sessions are kept [$HOLDFAST_STATE or ~/.local/state/holdfast]");
  app.add_option("--wait", options.wait, "end after this many messages of others arrived");
  app.add_option("--timeout", timeout, "end after this many seconds, with exit code 4")->check(CLI::PositiveNumber);
  app.add_option("--history", options.history, "messages to show when a conversation is opened on a terminal [20]")
      ->check(CLI::Range(0, 500));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(kExitOk) : static_cast<int>(kExitUsage);
  }
  if (auto mistake = complete(options, servers, tls, timeout)) return usage(*mistake);
  return options;
}

}  // namespace holdfast::chat
