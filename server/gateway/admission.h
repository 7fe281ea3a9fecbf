/// What all gateways of a process share to keep one client's doings from costing the others: how many connections there
/// are, how fast each user and each address may go; and the operator key.
///
/// Made once, outlives the gateways. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "base/ids.h"
#include "server/chat/limits.h"
#include "server/chat/login_throttle.h"
#include "server/gateway/rate.h"

namespace holdfast::gateway {

/// How fast one user is, over all connections.
struct UserRate {
  SharedRate frames, bytes, requests;
};

class Admission {
 public:
  struct Options {
    std::size_t connections_max = 0;  ///< 0: what open files and memory allow, see connections_allowed()
    std::string operator_key;         ///< empty: nobody becomes an operator
    chat::Limits limits;              ///< how long an address that guesses waits, and when that is forgotten
  };
  explicit Admission(Options options);
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// A place among connections_max, given back when it is destroyed.
  class Place {
   public:
    explicit Place(std::shared_ptr<std::atomic<std::size_t>> count) : count_(std::move(count)) {}
    Place(Place&&) = default;
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
    }

   private:
    std::shared_ptr<std::atomic<std::size_t>> count_;  ///< moved from: null
  };
  /// Nothing: it is full, or held.
  std::optional<Place> admit();
  /// While it is held nobody is admitted: what is asked of this node would not be answered.
  void hold(bool held) { held_.store(held, std::memory_order_relaxed); }
  std::size_t connections() const { return connections_->load(std::memory_order_relaxed); }
  std::size_t connections_max() const { return connections_max_; }

  /// The same object for all who hold it at the same time; a user without connections starts anew.
  std::shared_ptr<UserRate> rate_of(const UserId& user);

  /// Compares in constant time.
  bool is_operator_key(std::string_view key) const;

  /// How long the address (an IP address as text) has to wait before a password is looked at; zero: not at all.
  std::chrono::milliseconds login_wait(const std::string& address, WallTime now);
  void login_failed(const std::string& address, WallTime now);

 private:
  const std::size_t connections_max_;
  std::atomic<bool> held_{false};
  const std::optional<Hash32> operator_key_;  ///< hashed, so that lengths don't show
  const std::shared_ptr<std::atomic<std::size_t>> connections_;

  std::mutex users_mutex_;
  std::unordered_map<UserId, std::weak_ptr<UserRate>> users_;  ///< under users_mutex_
  std::size_t users_swept_at_ = 1'024;                         ///< size at which dead ones are looked for

  std::mutex addresses_mutex_;
  chat::AddressThrottle addresses_;  ///< under addresses_mutex_
};

/// What the limit of open files leaves for clients, when the server keeps `reserve` descriptors for itself (files of
/// RocksDB, listeners, HTTP), but never less than half of it; and no more than fit into half of the memory, an idle one
/// over TLS taking 24 KiB with the kernel's part. Never less than one.
std::size_t connections_allowed(std::size_t open_files_max, std::uint64_t memory_bytes, std::size_t reserve = 1'024);

}  // namespace holdfast::gateway
