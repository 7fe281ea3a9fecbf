/// The row secrets/<user>: which secrets stand for an account. What they are for is in resets.h, addresses.h and
/// recovery_codes.h.
///
/// A secret in a mailed link follows from its intent's id under the cluster's mail key, so the row has the id only: whoever
/// shows the right secret for that id has had the mail. Each secret has a timer, which takes it away when its time is over
/// and says so in an event.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "server/chat/rules.h"
#include "server/services/due.h"

namespace holdfast::services {

using SecretRow = state::Secrets::Secret;

state::Secrets secrets_of(const UserId& user, chat::View& view);
/// Without what is too old to count; an empty row goes.
void save_secrets(const chat::Context& context, const UserId& user, state::Secrets secrets, chat::Draft& draft);

/// A new secret for this intent, with its timer. To be put in its place of the row.
SecretRow fresh_secret(const UserId& user, const IntentId& intent, WallTime expires, chat::Draft& draft);
/// It is the one of this intent, and its time is not over.
bool stands(const chat::Context& context, const SecretRow& secret, std::string_view intent);

/// Notes that it was asked for once more; false: often enough within the window, and nothing is noted.
using AskedTimes = google::protobuf::RepeatedField<std::int64_t>;
bool note_asked(const chat::Context& context, std::size_t asked_max, AskedTimes& asked);

/// A rule of due.h.
void secret_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft);

}  // namespace holdfast::services
