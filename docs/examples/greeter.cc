#include "docs/examples/greeter.h"

#include "base/check.h"
#include "base/uuid.h"
#include "proto/state.pb.h"
#include "storage/keys.h"

namespace holdfast::examples {
namespace {

/// The change itself stands in the same entry, as the row that was written.
v1::Change change_of(const log::Entry& entry, const log::ChangeMade& made) {
  v1::Change change;
  const log::Write& write = entry.writes(static_cast<int>(made.write_index()));
  HF_CHECK(change.ParseFromString(write.put()), "a logged change parses");
  return change;
}

/// The same for the same event, so that a repetition is known as one; different for any other of this conversation.
RequestId id_from(const bus::EventAt& at) {
  SeededRandom random((at.entry.seq() << 8) + at.index);
  return make_uuid7(from_ms(at.entry.time_ms()), random);
}

}  // namespace

void Greeter::on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const {
  if (!at.event().has_change_made()) return;
  const log::ChangeMade& made = at.event().change_made();
  const v1::Change change = change_of(at.entry, made);
  if (!change.has_members_added()) return;
  // A look at a row may find that it is not in memory: then this outcome is thrown away, and we are asked again.
  const auto conversation = ConversationId::from_bytes(made.conversation());
  if (!view.row(keys::member(*conversation, greeter_))) return;

  command::Command command;
  command.set_user(greeter_.str());
  v1::Post& post = *command.mutable_request()->mutable_post();
  post.set_conversation_id(made.conversation());
  post.set_client_message_id(id_from(at).str());
  post.set_body(change.members_added().members_size() == 1 ? "Welcome!" : "Welcome, all of you!");
  outcome.commands.emplace_back(at.partition, std::move(command));
}

}  // namespace holdfast::examples
