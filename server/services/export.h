/// What is stored about a user, for the user's asking: rows as they are, without secrets.
///
/// A family of keys that has to do with users gets a line in the table of export.cc. Rules; both only read.
#pragma once

#include <memory>

#include "server/chat/rules.h"

namespace holdfast::services {

/// Stretches of the families in the table, one after the other.
void export_rows(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
/// The changes of a conversation whose author the user is.
void export_written(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);

/// How a row of an export reads: under which heading, and as which message; null if the key is of no such family.
struct ExportedRow {
  std::string section;
  std::unique_ptr<google::protobuf::Message> message;
};
ExportedRow read_exported(std::string_view key, std::string_view row);

}  // namespace holdfast::services
