#include "server/mail/outcome.h"

namespace holdfast::mail {

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::sent: return "sent";
    case Outcome::later: return "later";
    case Outcome::never: return "never";
    case Outcome::unoffered: return "unoffered";
  }
  return "unknown";
}

}  // namespace holdfast::mail
