/// What became of a mail.
#pragma once

#include <string>

namespace holdfast::mail {

enum class Outcome {
  sent,       ///< a relay has taken responsibility for it, or it stands in the outbox
  later,      ///< nobody has it, as far as is known: refused for now, unreachable, out of time, no TLS
  never,      ///< the relay refuses this recipient or this mail for good (5xx)
  unoffered,  ///< it was not tried: it waited too long for that, is not ours any more, or the queue was stopped
};

const char* name_of(Outcome outcome);

struct Sent {
  Outcome outcome;
  int code = 0;      ///< the relay's last reply that decided it; 0: there was none
  std::string text;  ///< why, for logs and operators: without addresses, links and what looks like a secret
};

}  // namespace holdfast::mail
