#include "base/result.h"

namespace holdfast {

const char* name_of(Errc code) {
  switch (code) {
    case Errc::invalid_argument: return "invalid_argument";
    case Errc::not_found: return "not_found";
    case Errc::already_exists: return "already_exists";
    case Errc::too_large: return "too_large";
    case Errc::permission_denied: return "permission_denied";
    case Errc::not_primary: return "not_primary";
    case Errc::retry_later: return "retry_later";
    case Errc::storage_full: return "storage_full";
    case Errc::corrupt: return "corrupt";
    case Errc::io: return "io";
    case Errc::in_use: return "in_use";
    case Errc::unsupported: return "unsupported";
    case Errc::outcome_unknown: return "outcome_unknown";
  }
  return "unknown";
}

}  // namespace holdfast
