#include "server/services/flows_audit.h"

#include "storage/audit_row.h"

namespace holdfast::services {
namespace {

using state::AuditLine;

constexpr std::uint32_t kEntriesMax = 100;
constexpr std::size_t kReplyBytesMax = 96u << 10;

const char* name_of(AuditLine::Actor actor) {
  switch (actor) {
    case AuditLine::USER: return "user";
    case AuditLine::OPERATOR: return "operator";
    case AuditLine::ANYBODY: return "anybody";
    default: return "server";
  }
}

v1::AuditEntry entry_of(std::uint64_t number, const AuditLine& line, std::string_view reader) {
  v1::AuditEntry entry;
  entry.set_number(number);
  entry.set_time_ms(line.time_ms());
  entry.set_action(line.action());
  entry.set_outcome(line.outcome());
  entry.set_actor(name_of(line.actor()));
  entry.set_own(line.actor() == AuditLine::USER && line.actor_user() == reader);
  const bool others = line.actor() == AuditLine::OPERATOR || (line.actor() == AuditLine::USER && !entry.own());
  if (!others) entry.set_source(line.source());
  entry.set_why(line.why());
  for (const auto& detail : line.details()) {
    auto& out = *entry.add_details();
    out.set_name(detail.name());
    out.set_value(detail.value());
  }
  return entry;
}

}  // namespace

Task<chat::RequestOutcome> get_audit_log(chat::FlowRequest request) {
  const v1::GetAuditLog wish = request.frame.get_audit_log();
  if (wish.limit() < 1 || wish.limit() > kEntriesMax)
    co_return chat::failed(v1::INVALID_ARGUMENT, "limit: 1 to " + std::to_string(kEntriesMax));
  command::Command command = request.command();
  command::ShowAudit& show = *command.mutable_show_audit();
  const std::string reader = request.caller.user->str();
  show.set_user(reader);
  show.set_after(wish.before());
  show.set_newest_first(true);
  show.set_limit(wish.limit());
  const command::Answer answer = co_await request.backend.asking(request.own_partition(), std::move(command));
  if (answer.frame().has_error()) co_return chat::outcome(answer.frame());
  v1::ServerFrame frame;
  v1::AuditLogReply& reply = *frame.mutable_audit_log();
  for (const auto& row : answer.audit_page().rows()) {
    const auto parts = split_audit_row(row.row());
    AuditLine line;
    if (parts && line.ParseFromArray(parts->line.data(), static_cast<int>(parts->line.size())))
      *reply.add_entries() = entry_of(row.number(), line, reader);
    reply.set_next_before(row.number());
    if (reply.ByteSizeLong() > kReplyBytesMax) co_return chat::outcome(std::move(frame));
  }
  reply.set_next_before(answer.audit_page().next());
  co_return chat::outcome(std::move(frame));
}

}  // namespace holdfast::services
