/// Waves of resets: after an incident an operator has many accounts mailed a link that sets another password.
///
/// A wave is started in every partition and goes on there by itself: the row wave/<id> says how far it has come, a timer
/// takes the next few accounts, paced, and so on to the last. One for named users comes in as many requests as it takes; the
/// row says when the partition's next mail is due. Partitions share the rate and begin one after the other, so that all
/// of them together keep to it, also at a few mails a minute. Each account keeps the wave that came by last, and the mail's
/// intent follows from wave and account: started again, or under a new primary, it mails nobody twice.
#pragma once

#include "server/chat/rules.h"
#include "server/services/due.h"

namespace holdfast::services {

/// Rules.
void start_wave(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);
/// How far it is here; or, of one that is only thought of, what it would find (`dry_run`), a stretch at a time. Reads.
void show_wave(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft);
/// A rule of due.h.
void wave_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft);

}  // namespace holdfast::services
