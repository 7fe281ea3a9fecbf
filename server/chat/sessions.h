/// Rules of sessions: coming back with a token, replacing tokens, ending.
///
/// A token is replaced in two phases. offer_token() keeps the hash of the new one beside the old one's: both work, so a
/// crash anywhere locks nobody out. confirm_token(), asked for by the client once it has stored the new one, or by the
/// flow once the client has used it, makes the new one the session's and keeps the old one's hash as superseded. A use of
/// that soon after is a retry that was under way; later it is theft, and ends the session.
#pragma once

#include "server/chat/rules.h"

namespace holdfast::chat {

/// Is this the session's token? Refuses, or answers what follows from it (ResumeState). Reads: a resume writes nothing.
void begin_resume(const Context& context, const command::Command& command, View& view, Draft& draft);
/// PRECONDITION_FAILED if another one was offered a short while ago, or if the serial is not beyond it.
void offer_token(const Context& context, const command::Command& command, View& view, Draft& draft);
/// A client's ConfirmToken. Done again if it was confirmed; PRECONDITION_FAILED for a serial not on offer.
void confirm_token(const Context& context, const command::Command& command, View& view, Draft& draft);
/// Notes that the session is in use; answers ResumeState with offer_token and next_serial.
void touch_session(const Context& context, const command::Command& command, View& view, Draft& draft);

/// By the server, with a reason. Done if it isn't live.
void end_session(const Context& context, const command::Command& command, View& view, Draft& draft);
/// A client's LogOut: of the session that asks.
void log_out(const Context& context, const command::Command& command, View& view, Draft& draft);
/// A client's RevokeDevice: NOT_FOUND unless it is, or was, a session of the user.
void revoke_device(const Context& context, const command::Command& command, View& view, Draft& draft);
/// A client's ListDevices: the live ones. Reads.
void list_devices(const Context& context, const command::Command& command, View& view, Draft& draft);

}  // namespace holdfast::chat
