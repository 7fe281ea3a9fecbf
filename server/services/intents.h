/// Intents: what is to be done outside (a mail to be sent), durable, and repeatable under its id.
///
/// A rule writes an intent with its timer. When its time has come the partition looks whether it is still wanted and
/// begins it (an effect, once that is committed), in the language that the user has chosen; whoever carries it out answers
/// IntentDone. Until then its timer stands, so that a new primary finds it: one that is under way elsewhere. It waits 5 s
/// for the word of the node that has it (which lives, if the partition was only moved), and then begins it again, under
/// the same id: at least once, and a repetition can be told.
///
/// Where an attempt fails for now it is tried again after 5 s, and then each time after twice as long, up to half an hour,
/// until its use is over.
#pragma once

#include "server/chat/rules.h"
#include "server/services/due.h"

namespace holdfast::services {

struct NewIntent {
  UserId user;  ///< of this partition
  IntentId id;  ///< drawn by the asker, or derived
  WallTime due;
  WallTime give_up;
  state::Mail mail;
};
void add_intent(const chat::Context& context, const NewIntent& intent, chat::Draft& draft);
/// One of the values that the template is filled with.
void add_value(state::Mail& mail, std::string_view name, std::string value);

/// An intent's id that follows from what it is about: the same for a repetition.
IntentId intent_made_by(std::string_view what, std::initializer_list<std::string_view> about);

/// Rules.
void intent_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);
void intent_done(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);

}  // namespace holdfast::services
