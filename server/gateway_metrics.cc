#include "server/gateway_metrics.h"

#include <algorithm>

namespace holdfast {
namespace {

using Figures = gateway::GatewayFigures;
using Field = std::uint64_t Figures::*;

struct Plain {
  const char* name;
  const char* help;
  Field field;
};
constexpr Plain kGauges[] = {
    {"connections", "Open client connections", &Figures::connections},
    {"sessions", "Connections that are logged in", &Figures::sessions},
    {"accept_waiting", "Connections that wait to be accepted, when that was looked at last", &Figures::waiting},
    {"tls_handshakes_waiting", "TLS handshakes that wait for their turn", &Figures::handshakes_waiting},
    {"tls_handshakes_waiting_max", "How many may, on all workers", &Figures::handshakes_waiting_max},
};
constexpr Plain kCounters[] = {
    {"frames_received_total", "Frames from clients", &Figures::frames_in},
    {"frames_sent_total", "Frames to clients", &Figures::frames_out},
    {"received_bytes_total", "Bytes from clients", &Figures::bytes_in},
    {"sent_bytes_total", "Bytes to clients", &Figures::bytes_out},
    {"writes_total", "Write calls; frames sent per write tell how well output is coalesced", &Figures::writes},
    {"requests_total", "Requests that were run", &Figures::requests},
    {"held_back_total", "Times that a connection was held back because its partition was silent", &Figures::held_back},
    {"rate_limited_total", "Frames answered RATE_LIMITED", &Figures::rate_limited},
};

/// In microseconds here, in seconds there; of the worker where it is longest.
constexpr Plain kTimes[] = {
    {"accept_seconds", "What each of a crowd took to be let in, when one came last", &Figures::accept_us},
    {"accept_wait_max_seconds", "Who would wait longer to be accepted is told RETRY", &Figures::accept_wait_max_us},
};

struct Labelled {
  const char* name;
  const char* help;
  const char* label;
  const char* value;
  Field field;
};
constexpr Labelled kLabelled[] = {
    {"connections_opened_total", "Connections by what they speak", "protocol", "plain", &Figures::connections_plain},
    {"connections_opened_total", "", "protocol", "tls", &Figures::connections_tls},
    {"connections_opened_total", "", "protocol", "websocket", &Figures::connections_websocket},
    {"connections_refused_total", "Connections without a session, by why", "reason", "full", &Figures::refused_full},
    {"connections_refused_total", "", "reason", "plaintext", &Figures::refused_plaintext},
    {"connections_refused_total", "", "reason", "garbage", &Figures::refused_garbage},
    {"connections_refused_total", "", "reason", "stopped_handshake", &Figures::refused_stopped},
    {"connections_refused_total", "", "reason", "tls", &Figures::refused_tls},
    {"connections_refused_total", "", "reason", "busy", &Figures::refused_busy},
    {"connections_refused_total", "", "reason", "gone", &Figures::refused_gone},
    {"tls_handshakes_total", "TLS handshakes done, anew or by a ticket", "how", "anew", &Figures::handshakes_anew},
    {"tls_handshakes_total", "", "how", "resumed", &Figures::handshakes_resumed},
    {"connections_dropped_total", "Connections that we ended, by why", "reason", "slow", &Figures::dropped_slow},
    {"connections_dropped_total", "", "reason", "idle", &Figures::dropped_idle},
};

}  // namespace

void add_gateway_metrics(http::Metrics& metrics, const std::vector<Figures>& of_workers) {
  const auto sum = [&](Field field) {
    std::uint64_t all = 0;
    for (const auto& figures : of_workers) all += figures.*field;
    return static_cast<double>(all);
  };
  for (const auto& one : kGauges) metrics.gauge(one.name, one.help, sum(one.field));
  for (const auto& one : kTimes) {
    std::uint64_t longest = 0;
    for (const auto& figures : of_workers) longest = std::max(longest, figures.*one.field);
    metrics.gauge(one.name, one.help, static_cast<double>(longest) / 1e6);
  }
  for (const auto& one : kCounters) metrics.counter(one.name, one.help, sum(one.field));
  for (const auto& one : kLabelled) {
    metrics.counter(one.name, one.help, sum(one.field), {{one.label, one.value}});
  }
}

}  // namespace holdfast
