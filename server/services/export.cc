#include "server/services/export.h"

#include "server/chat/once.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using google::protobuf::Message;

constexpr std::size_t kPageRows = 500;
constexpr std::size_t kPageBytes = 256u << 10;

template <class Row>
std::unique_ptr<Message> fresh() {
  return std::make_unique<Row>();
}

struct Line {
  keys::Family family;
  const char* section;
  std::unique_ptr<Message> (*fresh)();
};
/// Of a user's partition, by the user's id. What stands in inboxes is told where it was written.
constexpr Line kFamilies[] = {
    {keys::Family::account, "account", fresh<state::Account>},
    {keys::Family::session, "sessions", fresh<state::Session>},
    {keys::Family::mailbox, "inbox", fresh<state::Mailbox>},
    {keys::Family::blocks, "blocks", fresh<state::Blocks>},
    {keys::Family::list, "conversations", fresh<state::ListEntry>},
    {keys::Family::intent, "mails_to_be_sent", fresh<state::Intent>},
    {keys::Family::secrets, "ways_back", fresh<state::Secrets>},
    {keys::Family::mail_settings, "mail_settings", fresh<state::MailSettings>},
    {keys::Family::missed, "missed", fresh<state::Missed>},
    {keys::Family::answered, "answered_by_mail", fresh<state::Answered>},
    {keys::Family::lost, "incidents", fresh<state::Lost>},
};
constexpr Line kWritten = {keys::Family::change, "written", fresh<v1::Change>};

const Line* line_of(keys::Family family) {
  if (family == kWritten.family) return &kWritten;
  for (const Line& line : kFamilies)
    if (line.family == family) return &line;
  return nullptr;
}

/// Secrets are stored as hashes, in fields that say so; what a registration was recognised by is of no use to anybody.
void remove_secrets(Message& message) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->name().ends_with("hash") || field->name() == "registration_id")
      message.GetReflection()->ClearField(&message, field);
    else if (field->message_type() != nullptr && !field->is_repeated())
      remove_secrets(*message.GetReflection()->MutableMessage(&message, field));
  }
}

void add(const Row& row, const Line& line, command::ExportPage& page) {
  const auto message = line.fresh();
  auto& out = *page.add_rows();
  out.set_key(row.key);
  if (!message->ParseFromString(row.value)) return;
  remove_secrets(*message);
  out.set_row(message->SerializeAsString());
}

/// Where the family behind this one begins; empty: there is none.
std::string begin_after(const Line& line, const UserId& user) {
  const Line* next = &line + 1;
  return next == std::end(kFamilies) ? std::string() : keys::prefix(next->family, user.bytes());
}

}  // namespace

void export_rows(const chat::Context&, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const UserId user = chat::user_of(command);
  std::string from = command.export_rows().from();
  if (from.empty()) from = keys::prefix(kFamilies[0].family, user.bytes());
  const Line* line = line_of(static_cast<keys::Family>(from.front()));
  if (line == nullptr || line == &kWritten) return draft.refuse(v1::INVALID_ARGUMENT, "from: as the page before said");
  const std::string prefix = keys::prefix(line->family, user.bytes());
  if (!from.starts_with(prefix)) return draft.refuse(v1::INVALID_ARGUMENT, "from: as the page before said");
  const auto* rows = view.range({from, keys::after_prefix(prefix), kPageRows, kPageBytes, false});
  if (!rows) return;
  command::ExportPage& page = *draft.answer().mutable_export_page();
  for (const Row& row : *rows) add(row, *line, page);
  page.set_next_from(rows->empty() ? begin_after(*line, user) : rows->back().key + '\0');
}

void export_written(const chat::Context&, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const auto conversation = ConversationId::from_bytes(command.export_written().conversation());
  if (!conversation) return draft.refuse(v1::INVALID_ARGUMENT, "conversation: an id has 16 bytes");
  const std::string until = keys::after_prefix(keys::prefix(keys::Family::change, conversation->bytes()));
  const auto* rows =
      view.range({keys::change(*conversation, command.export_written().from()), until, kPageRows, kPageBytes, false});
  if (!rows) return;
  command::ExportPage& page = *draft.answer().mutable_export_page();
  for (const Row& row : *rows) {
    v1::Change change;
    if (change.ParseFromString(row.value) && change.author() == command.user()) add(row, kWritten, page);
  }
  if (!rows->empty()) page.set_next_number(keys::decode(rows->back().key)->number + 1);
}

ExportedRow read_exported(std::string_view key, std::string_view row) {
  const auto decoded = keys::decode(key);
  const Line* line = decoded ? line_of(decoded->family) : nullptr;
  if (line == nullptr) return {};
  ExportedRow out{line->section, line->fresh()};
  if (!out.message->ParseFromArray(row.data(), static_cast<int>(row.size()))) out.message.reset();
  return out;
}

}  // namespace holdfast::services
