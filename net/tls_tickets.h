/// The keys that session tickets are sealed with: the same on all nodes that have the same secrets, and other ones each
/// hour. So a client that moves to another node, or comes back after a restart, shakes hands for less there too, and a
/// key that leaks opens an hour's tickets.
///
///   key of (secret, window) = keyed BLAKE2b-256 of a label and the window's number, under the secret
///   window                  = hours since 1970; the present one seals, and opens with the two before it and the one
///                             after it (a node whose clock runs ahead)
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"

struct ssl_ctx_st;

namespace holdfast {

/// Shared by the contexts that use it and by whoever learns of new secrets. Any thread.
class TicketKeys {
 public:
  static constexpr std::chrono::hours kWindow{1};
  static constexpr std::chrono::seconds kTicketLife = 2 * kWindow;

  struct Key {
    std::array<unsigned char, 16> name;  ///< stands in the ticket
    Hash32 cipher;
    Hash32 mac;
    friend bool operator==(const Key&, const Key&) = default;
  };
  explicit TicketKeys(std::function<WallTime()> clock = wall_now) : clock_(std::move(clock)) {}

  /// The first one seals, all open. Never empty.
  void set_secrets(std::vector<Hash32> secrets);

  /// Nothing: there are no secrets yet.
  std::optional<Key> sealing();
  /// Nothing: its window is over, or its secret is gone, or it was never ours.
  std::optional<Key> find(std::string_view name);

 private:
  void refresh();

  const std::function<WallTime()> clock_;
  std::mutex mutex_;
  std::vector<Hash32> secrets_;  ///< under mutex_, as are all below
  std::optional<std::int64_t> window_;
  std::vector<Key> keys_;  ///< of this window; the first one seals
};

/// Makes the context seal and open its tickets with these keys, which live as long as it does. For net/ itself.
void use_ticket_keys(ssl_ctx_st* context, std::shared_ptr<TicketKeys> keys);

}  // namespace holdfast
