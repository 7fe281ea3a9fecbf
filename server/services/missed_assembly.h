/// What a mail about missed messages says, fetched at the moment of its sending.
///
/// Two partitions are asked: the user's, whether the mail is still wanted and from which post on (its answer is of a
/// committed entry: what was read before is not mailed), and the conversation's, for what the posts say by now. So an edit
/// is mailed as it reads now, and what was deleted is not there.
#pragma once

#include <string>

#include "server/services/mail_sender.h"

namespace holdfast::services {

struct MissedMailOptions {
  std::string base_url;        ///< of the users' pages, without a slash at its end
  bool takes_answers = false;  ///< mails have a Reply-To with a secret for their conversation
};

/// For the templates missed_content and missed_notice. Bounds: 30 messages of up to 4,000 bytes are shown, 32 KiB in all;
/// of the others it is said how many there are. Only what is text is shown: of a message of another content type (an
/// encrypted one) it is only said that there is one, and if there are no others the mail is a notice.
Assemble assemble_missed(MissedMailOptions options);

}  // namespace holdfast::services
