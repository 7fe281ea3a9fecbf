/// Messages for users none of whose devices comes.
#pragma once

#include <cstdint>

#include "tests/bench/arrivals.h"

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

/// Makes the users and writes the messages, all of them acknowledged. Gives up if anything is refused.
void write_unread(const Door& door, const Unread& what);

}  // namespace holdfast::bench
