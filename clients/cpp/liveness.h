/// Whether the peer still lives: when to ping, when to give up. Sans-IO value of one connection.
///
/// While an answer is due: 1 s of silence brings a probe, one more second the end. Otherwise a ping goes out every
/// idle interval, and is itself something that an answer is due to. In use, silence alone brings the probe. (Figures:
/// LivenessOptions.)
#pragma once

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "clients/cpp/options.h"

namespace holdfast::client {

class Liveness {
 public:
  enum class Verdict { fine, ping, dead };

  Liveness(LivenessOptions options, SteadyTime now) : options_(options), last_in_(now), last_out_(now) {}

  /// What the server's hello asks for; only ever shortens the idle interval.
  void set_keepalive(std::chrono::milliseconds keepalive) {
    if (keepalive.count() > 0) options_.idle_ping = std::min(options_.idle_ping, keepalive);
  }

  void set_in_use(bool in_use, SteadyTime now) {
    // Silence counts from now: up to here nobody minded it.
    if (in_use && !options_.in_use) in_use_since_ = now;
    options_.in_use = in_use;
  }

  void received(SteadyTime now) {
    last_in_ = now;
    probe_end_.reset();
    ping_out_ = false;
  }
  /// Something was sent; `answer_due` if the peer owes an answer to it.
  void sent(SteadyTime now, bool answer_due) {
    last_out_ = now;
    if (answer_due && !waiting_since_) waiting_since_ = now;
  }
  /// Nothing is owed any more.
  void settled() {
    if (!ping_out_) waiting_since_.reset();
  }

  Verdict tick(SteadyTime now) {
    if (probe_end_) return now >= *probe_end_ ? Verdict::dead : Verdict::fine;
    if (now < next_deadline()) return Verdict::fine;
    if (waiting_since_ || options_.in_use) probe_end_ = now + options_.probe_max;
    ping_out_ = true;
    sent(now, true);
    return Verdict::ping;
  }

  SteadyTime next_deadline() const {
    if (probe_end_) return *probe_end_;
    SteadyTime idle = std::min(last_in_, last_out_) + options_.idle_ping;
    if (options_.in_use) idle = std::min(idle, std::max(last_in_, in_use_since_) + options_.silence_max);
    if (!waiting_since_) return idle;
    return std::min(std::max(idle, last_out_ + options_.silence_max),
                    std::max(last_in_, *waiting_since_) + options_.silence_max);
  }

 private:
  LivenessOptions options_;
  SteadyTime last_in_;
  SteadyTime last_out_;
  std::optional<SteadyTime> waiting_since_;
  std::optional<SteadyTime> probe_end_;
  SteadyTime in_use_since_ = SteadyTime::min();
  bool ping_out_ = false;
};

}  // namespace holdfast::client
