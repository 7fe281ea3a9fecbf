/// The asynchronous client: a session that holds over as many connections as it takes.
///
///     holdfast::client::ClientRuntime runtime(io.get_executor());
///     holdfast::client::ClientOptions options;
///     options.endpoints = {*holdfast::client::parse_endpoint("holdfasts://chat.example.org")};
///     options.credentials = holdfast::client::LogInWith{"ada", password};
///     holdfast::client::Client client(runtime, options, events, &store);
///     client.start();
///     client.send(conversation, "hello", [](const SendResult& sent) { … sent.number … });
///     io.run();
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "clients/cpp/ask.h"
#include "clients/cpp/events.h"
#include "clients/cpp/options.h"
#include "clients/cpp/runtime.h"
#include "clients/cpp/session_store.h"

namespace holdfast {
class ClientTickets;
}

namespace holdfast::client {

/// Whom to believe over TLS: one of these, or none of them for the system's authorities.
struct Trust {
  std::string ca_file;             ///< PEM
  std::string pinned_fingerprint;  ///< SHA-256 of the server's certificate, hex
  std::string pinned_certificate;  ///< the same, from a PEM file
  bool insecure = false;           ///< believe anybody: for tests on one machine
  friend auto operator<=>(const Trust&, const Trust&) = default;
};

struct ClientOptions : MachineOptions {
  Trust trust;
  std::string source_address;  ///< of this machine, to connect from; empty: as the system likes
  /// Where its TLS tickets are kept; null: with those of all clients of this runtime and trust. Of clients
  /// that have one trust: a resumed connection checks no certificate again. See net/tls_sessions.h.
  std::shared_ptr<ClientTickets> tls_tickets;
};

/// Owned by the application; destroyed before its runtime, and not from within an event or a callback. All calls on
/// the runtime's thread. An idle client keeps no buffers; thousands in one process are fine.
class Client {
 public:
  /// `events` outlives the client; so does `store`, which may be null: nothing is then kept beyond the client's life.
  Client(ClientRuntime& runtime, ClientOptions options, ClientEvents& events, SessionStore* store = nullptr);
  /// Closes; callbacks that were not called are dropped.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Connects and gets a session: the store's, or by the credentials. Then stays connected, whatever happens, until
  /// close() or on_session_ended(). Once.
  void start();
  /// Leaves. The session stays good, the stored outbox too; callbacks still waiting get `closed`. Idempotent.
  void close();

  /// Puts a message into the outbox; it goes out as soon as there is a connection, in order, and exactly one copy is
  /// kept however often it has to be sent. `done` is called with its number, or a failure that is final. With a store
  /// the message survives the process once this turn of the loop is over, and is reported by on_sent() then.
  /// Fails with retry_later (the outbox is full), invalid_argument or io (closed); nothing is sent then.
  Status send(const ConversationId& conversation, std::string body, SendCallback done = {},
              ask::PostOptions options = {});

  /// Asks anything (see ask.h). `done` is called exactly once, not from within. A request that changes something is
  /// asked under one idempotency id until it is answered, over reconnects too. Time-out: options.request_max.
  void request(v1::ClientFrame frame, ReplyCallback done, std::optional<std::chrono::milliseconds> time_max = {});
  /// Sends if there is a connection, otherwise forgets; no answer (set_typing).
  void cast(v1::ClientFrame frame);
  /// Ends the session, here and in the store; on_session_ended follows.
  void log_out(ReplyCallback done = {});
  /// Without auto_ack: everything up to this inbox position is stored by the application.
  void stored(std::uint64_t position);

  /// Somebody looks at it: a connection that died in silence is noticed after some two seconds instead of twelve.
  void set_in_use(bool in_use);

  bool online() const;
  const SessionInfo& session() const;
  /// The server's time, as far as it is known; 1970 before the first connection.
  WallTime server_now() const;
  std::size_t outbox_size() const;
  std::uint64_t logins() const;   ///< with a password, or by registering
  std::uint64_t resumes() const;  ///< with the token
  Endpoint endpoint() const;      ///< in use, or tried next
  /// Its connection began with a TLS handshake that went on from an earlier one. From on_connection() on.
  bool tls_resumed() const;

 private:
  struct Core;
  friend class Link;
  friend struct ClientRuntime::Impl;
  std::unique_ptr<Core> core_;
};

}  // namespace holdfast::client
