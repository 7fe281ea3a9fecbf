/// Which steps of a mail's sending a committed entry has behind it (server/mail/seams.h).
#pragma once

#include "proto/log.pb.h"

namespace holdfast {

/// Passes the seams of all that the entry has committed: armed, decided, ended.
void pass_mail_seams(const log::Entry& entry);

}  // namespace holdfast
