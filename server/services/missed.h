/// When what reached no device becomes a mail: the timer of a user who gets mail.
///
/// Delivery says when the first post comes for a mailbox that watches; from then on a timer is set, at the time when the
/// oldest post that no device has acknowledged has waited for the user's delay. Then the inbox is looked through: each
/// conversation whose oldest such post has waited long enough becomes an intent, with all that it has by then, in the
/// order of those oldest posts, up to so many a day; for the others the timer is set again. What is decided is noted in
/// the conversation's line of the list, so that nothing is mailed twice.
///
/// While mail is off for a reason that is not the user's (an operator's switch, say) a timer finds out once a day whether it
/// still is; what arrives meanwhile is not mailed.
///
/// Invariant: a mailbox that is ARMED has its timer, or the event that will set it is on its way. One that is IDLE has
/// nothing in it that would have to be mailed.
#pragma once

#include "proto/state.pb.h"
#include "server/services/due.h"
#include "server/services/mail_settings.h"

namespace holdfast::services {

/// After anything that `wish` depends on has changed: the mailbox begins to watch (what is there by now is not mailed),
/// ends it, or its timer is run at once, for the delay may be another.
void watch_or_not(const chat::Context& context, const UserId& user, const MailWish& wish, chat::View& view,
                  chat::Draft& draft);
/// The row and its timer go.
void drop_timer(const UserId& user, chat::View& view, chat::Draft& draft);

// Rules.
/// Something arrived that may have to be mailed. A repetition sets a timer that finds nothing to do.
void arm_missed(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void missed_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);

}  // namespace holdfast::services
