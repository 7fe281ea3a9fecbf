/// What the relay was offered, put beside what was written.
#pragma once

#include "tools/holdfast-chaos/mail_history.h"
#include "tools/holdfast-chaos/mail_sink.h"

namespace holdfast::chaos {

/// Fills in `mails`, `other_mails` and, where one can't be read or is for nobody, adds to `strange`.
void note_mails(const std::vector<OfferedMail>& offered, MailHistory& history);

}  // namespace holdfast::chaos
