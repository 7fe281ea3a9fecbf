/// What was written to users who get mail, and which mails came of it (H11): plain data, so that a test can spoil it.
///
/// Readers, talks and letters are named by their index. Moments are those of history.h; -1: it did not happen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::chaos {

/// Somebody with a verified address.
struct Reader {
  std::string name;
  std::string address;
  /// Connected nowhere from before the first letter until all mails were to be there. The others come and go.
  bool stays_away = false;
};

/// A conversation of an author and a reader.
struct Talk {
  std::uint32_t reader = 0;
  bool muted = false;  ///< by the reader, before the first letter
};

/// A message to a reader.
struct Letter {
  std::uint32_t talk = 0;
  std::int64_t acked = -1;   ///< to its author
  std::uint64_t number = 0;  ///< of its change, if acked
  std::int64_t shown = -1;   ///< to a device of the reader, for the first time
  std::uint32_t times_shown = 0;
  std::int64_t acknowledged = -1;  ///< the answer that a device's acknowledgement of it counts
  std::int64_t delete_asked = -1;
  std::int64_t deleted = -1;  ///< the answer that it is
};

/// A mail that was offered to the relay, whole.
struct Mail {
  std::int64_t offered = 0;  ///< when its sender began with it
  std::int64_t taken = 0;    ///< when its last byte was there
  bool refused = false;      ///< told to come again; otherwise the relay has it
  std::string id;            ///< its Message-ID
  std::uint32_t reader = 0;
  std::vector<std::uint64_t> letters;  ///< that stand in it, in their order
  std::uint64_t more = 0;              ///< behind them, that it only counts
};

struct MailHistory {
  std::vector<Reader> readers;  ///< none: mails are not judged
  std::vector<Talk> talks;
  std::vector<Letter> letters;
  std::vector<Mail> mails;        ///< in the order in which they came
  std::uint64_t other_mails = 0;  ///< about something else: incidents
  std::vector<std::string>
      strange;  ///< what keeps mails from being judged: one can't be read, a reader lost its session
};

/// Letters that have to be mailed, and are in no mail: of readers who stay away, acknowledged, neither muted nor deleted.
std::vector<std::uint64_t> not_mailed(const MailHistory& history);

}  // namespace holdfast::chaos
