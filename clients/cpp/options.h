/// How a client is to behave. Values; fixed once the client exists.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

#include "clients/cpp/endpoint.h"
#include "clients/cpp/reconnect.h"

namespace holdfast::client {

/// How to get a session when the store has none.
struct LogInWith {
  std::string username;
  std::string password;
};
struct RegisterWith {
  std::string username;
  std::string password;
  std::string email;  ///< may be empty
};
/// A session that was made elsewhere: by ProvisionUsers, say. The store's, if it has one, goes before it.
struct ResumeWith {
  std::string token;
  std::uint64_t cursor = 0;
};
/// No session: a connection with operator rights.
struct OperatorWith {
  std::string key;
};
/// Only what the store has. Without that, starting ends at once with NOT_LOGGED_IN.
struct StoredOnly {};
using Credentials = std::variant<StoredOnly, LogInWith, RegisterWith, ResumeWith, OperatorWith>;

struct LivenessOptions {
  std::chrono::milliseconds silence_max{1'000};  ///< an answer is due and nothing came for this long: probe
  std::chrono::milliseconds probe_max{1'000};    ///< and nothing came in answer to the probe: the peer is dead
  std::chrono::milliseconds idle_ping{10'000};   ///< at least this often, or as often as the server's hello says
  /// Somebody looks at it (Client::set_in_use): silence_max holds even if no answer is due. Costs a ping a second.
  bool in_use = false;
};

struct MachineOptions {
  std::vector<Endpoint> endpoints;  ///< at least one; where to find any node. Tried in an order of chance
  Credentials credentials;
  std::string device_name = "holdfast client";
  std::string client_name = "holdfast-cpp/0.1";  ///< for the server's logs

  ReconnectOptions reconnect;
  LivenessOptions liveness;

  std::size_t outbox_messages_max = 1'000;  ///< more: send() fails with retry_later
  /// How many messages of one conversation may be under way before the first is answered. With 1 the order within a
  /// conversation holds whatever happens. With more, a message that the server refuses for the moment (RATE_LIMITED,
  /// RETRY) can be overtaken by one behind it; reconnecting keeps the order even then.
  std::size_t sends_ahead_max = 1;
  std::size_t requests_max = 1'000;  ///< more: request() fails with `full`
  std::chrono::milliseconds request_max{15'000};
  std::chrono::milliseconds login_max{15'000};  ///< for log-in and registration, which the server may queue

  /// Items that wait behind an unresolved reference. More are dropped and fetched again by a new resume.
  std::size_t inbox_waiting_max = 4'096;
  std::size_t ack_every = 64;
  std::chrono::milliseconds ack_after{200};
  /// Whatever was handed over counts as stored. If false the application calls ack().
  bool auto_ack = true;
};

}  // namespace holdfast::client
