#include "tests/support/history.h"

namespace holdfast {

void note_asked(History& history, const v1::ClientFrame& frame) {
  const auto note = [&](const std::string& conversation, v1::Change::WhatCase what) {
    ++history.asked[{*ConversationId::from_bytes(conversation), what}];
  };
  if (frame.has_edit()) note(frame.edit().conversation_id(), v1::Change::kEdited);
  if (frame.has_delete_()) note(frame.delete_().conversation_id(), v1::Change::kDeleted);
  if (frame.has_react()) note(frame.react().conversation_id(), v1::Change::kReacted);
  if (frame.has_rename_group()) note(frame.rename_group().conversation_id(), v1::Change::kRenamed);
}

}  // namespace holdfast
