#include "server/chat/request_ids.h"

#include <array>
#include <vector>

namespace holdfast::chat {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t kIdBytes = 16;
constexpr std::array<std::string_view, 5> kIds = {"conversation_id", "user_id", "session_id", "client_message_id",
                                                  "members"};
constexpr std::string_view kPageAfter = "after_user_id";

struct IdField {
  const FieldDescriptor* field;
  bool may_be_empty;
};
/// What the schema says of one operation.
struct Operation {
  const FieldDescriptor* field = nullptr;
  const FieldDescriptor* conversation = nullptr;
  std::vector<IdField> ids;
};

Operation read_operation(const FieldDescriptor* field) {
  Operation operation;
  operation.field = field;
  for (int i = 0; i < field->message_type()->field_count(); ++i) {
    const FieldDescriptor* part = field->message_type()->field(i);
    if (part->type() != FieldDescriptor::TYPE_BYTES) continue;
    if (part->name() == "conversation_id") operation.conversation = part;
    for (const std::string_view id : kIds)
      if (part->name() == id) operation.ids.push_back({part, false});
    if (part->name() == kPageAfter) operation.ids.push_back({part, true});
  }
  return operation;
}

/// By field number of the operation, read from the schema once.
const Operation* operation_of(const v1::ClientFrame& request) {
  static const std::vector<Operation> operations = [] {
    std::vector<Operation> all;
    const auto* oneof = v1::ClientFrame::descriptor()->FindOneofByName("operation");
    for (int i = 0; i < oneof->field_count(); ++i) {
      const auto number = static_cast<std::size_t>(oneof->field(i)->number());
      if (all.size() <= number) all.resize(number + 1);
      all[number] = read_operation(oneof->field(i));
    }
    return all;
  }();
  const auto number = static_cast<std::size_t>(request.operation_case());
  return number != 0 && number < operations.size() && operations[number].field ? &operations[number] : nullptr;
}

const Message& content_of(const v1::ClientFrame& request, const Operation& operation) {
  return request.GetReflection()->GetMessage(request, operation.field);
}

bool has_bad_length(const Message& content, const IdField& id) {
  const auto* reflection = content.GetReflection();
  std::string scratch;
  const auto bad = [&](const std::string& bytes) {
    return bytes.size() != kIdBytes && !(id.may_be_empty && bytes.empty());
  };
  if (id.field->containing_oneof() && !reflection->HasField(content, id.field)) return false;
  if (!id.field->is_repeated()) return bad(reflection->GetStringReference(content, id.field, &scratch));
  for (int i = 0; i < reflection->FieldSize(content, id.field); ++i)
    if (bad(reflection->GetRepeatedStringReference(content, id.field, i, &scratch))) return true;
  return false;
}

}  // namespace

std::string_view conversation_id_of(const v1::ClientFrame& request) {
  const Operation* operation = operation_of(request);
  if (!operation || !operation->conversation) return {};
  const Message& content = content_of(request, *operation);
  static const std::string kEmpty;
  std::string scratch;
  const std::string& id = content.GetReflection()->GetStringReference(content, operation->conversation, &scratch);
  return &id == &scratch ? std::string_view(kEmpty) : std::string_view(id);
}

std::optional<std::string> bad_ids(const v1::ClientFrame& request) {
  const Operation* operation = operation_of(request);
  if (!operation) return std::nullopt;
  const Message& content = content_of(request, *operation);
  for (const IdField& id : operation->ids)
    if (has_bad_length(content, id)) return id.field->name() + ": an id has 16 bytes";
  return std::nullopt;
}

}  // namespace holdfast::chat
