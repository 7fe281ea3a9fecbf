/// Says what is wrong with a history, by the rules H1 to H12 of docs/failover.md.
///
///   H1   what was acknowledged is there at the end             lost
///   H2   nothing is there twice, nothing was shown twice       duplicated
///   H3   one order for all, without gaps, the senders' own     out_of_order
///   H4   what stands under a number never changes              altered
///   H5   positions, sessions and own reads only go forward     went_back
///   H6   nothing was shown that is not there at the end        phantom
///   H7   what was refused for good is nowhere                  refused_seen
///   H8   every change reached every device of its members      not_delivered
///   H9   an ended session is accepted by nobody                revoked_accepted
///   H10  all copies of a partition have the same history       diverged
///   H11  who stays away is mailed what came                 mail_missing
///        once, or again under one Message-ID after a fault  mail_repeated
///        nothing acknowledged, deleted or muted is mailed   mail_unwanted
///   H12  all is well again soon after a fault is undone        not_recovered
///   I    no node ends by itself (a broken invariant does that) crashed
///
/// Pure. Each finding names the device, the conversation and the message. H13, the outages, is in outages.h. H11 is
/// about mail_history.h; its letters are judged by H2 and H8, too.
#pragma once

#include <map>

#include "tools/holdfast-chaos/history.h"

namespace holdfast::chaos {

enum class Kind : std::uint8_t {
  lost,
  duplicated,
  out_of_order,
  altered,
  went_back,
  phantom,
  refused_seen,
  not_delivered,
  revoked_accepted,
  mail_missing,
  mail_repeated,
  mail_unwanted,
  diverged,
  not_recovered,
  crashed,
  unchecked,  ///< something could not be looked at: no verdict without it
};
const char* rule_of(Kind kind);  ///< "H1"
const char* name_of(Kind kind);  ///< "lost"

struct Violation {
  Kind kind;
  std::string text;
};

struct CheckLimits {
  Micros recovery_max = 10'000'000;  ///< H12: a message is answered so soon after its fault is undone
                                     ///< (H11: and a mail in hand, of which that is asked, offered in half of it)
};

std::vector<Violation> check(const History& history, const CheckLimits& limits = {});

std::map<Kind, std::size_t> count(const std::vector<Violation>& violations);

}  // namespace holdfast::chaos
