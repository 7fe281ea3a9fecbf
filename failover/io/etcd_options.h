/// How an EtcdConfigStore behaves, besides where etcd is.
#pragma once

#include <chrono>
#include <string>

namespace holdfast::failover {

struct EtcdOptions {
  // For etcds:// only; PEM files.
  std::string ca_file = {};           ///< whom to believe; empty: the system's authorities
  std::string certificate_file = {};  ///< our own, if etcd wants one; with key_file
  std::string key_file = {};

  std::chrono::seconds lease_ttl{2};  ///< leased rows go so long after we are gone; etcd may make it longer
  /// A transaction waits so long to be sent, and then so long for its answer.
  std::chrono::milliseconds transaction_timeout{1'000};
  std::chrono::milliseconds read_timeout{3'000};
  /// After so long without an answer to a read another member is asked.
  std::chrono::milliseconds attempt_timeout{500};
  /// Leased rows go at once with the store. Off: they stay until their lease ends, as if this process had been killed.
  bool revoke_on_close = true;
};

}  // namespace holdfast::failover
