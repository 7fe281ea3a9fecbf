/// Messages for users none of whose devices comes.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/arrivals.h"
#include "tools/holdfast-load/provisioning.h"

namespace holdfast::bench {

struct Unread {
  std::size_t users = 10'000;  ///< provisioned, each with a verified address
  std::size_t talks = 2;       ///< of each of them, with a sender each
  std::size_t messages = 5;    ///< in each talk
  std::size_t senders = 100;   ///< connected, who write all of it
  std::size_t body_bytes = 100;

  std::size_t mails() const { return users * talks; }
  std::size_t all_messages() const { return mails() * messages; }
};

/// Makes the users and writes the messages, all of them acknowledged: the readers, each with a session that has seen
/// nothing. Gives up if anything is refused.
std::vector<load::ProvisionedUser> write_unread(const Door& door, const Unread& what);

}  // namespace holdfast::bench
