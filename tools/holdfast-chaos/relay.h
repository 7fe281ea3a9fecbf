/// A slow and lossy cable for one node, where the kernel has no netem: two TAP devices, one in the node's namespace and
/// one on the hub's bridge, with a thread between them that holds every frame back and drops some.
///
/// While it stands, the node's own device is down and the TAP device has its addresses, so that connections go on.
/// Frames are late by the delay, more or less a quarter of it, so that some overtake others. One thread uses it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "base/result.h"

namespace holdfast::chaos {

struct RelaySettings {
  std::string hub, node;  ///< namespaces
  std::string bridge;     ///< in the hub
  std::string device;     ///< the node's own
  std::string address;    ///< of the node, with its prefix length
  std::uint32_t delay_ms = 0;
  std::uint32_t loss_percent = 0;
};

class Relay {
 public:
  Relay() = default;
  ~Relay() { stop(); }
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  /// Fails with io; the node has its own device again then.
  Status start(const RelaySettings& settings);
  /// Idempotent.
  void stop();

 private:
  Status plug_in();
  void carry();

  RelaySettings settings_;
  int hub_ = -1, node_ = -1;  ///< the devices, as files
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace holdfast::chaos
