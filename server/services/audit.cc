#include "server/services/audit.h"

#include <algorithm>

#include "base/check.h"
#include "server/chat/changes.h"
#include "server/chat/validation.h"
#include "server/services/audit_lines.h"
#include "storage/audit_row.h"
#include "storage/keys.h"

namespace holdfast::services {
namespace {

using state::AuditHead;
using state::AuditLine;

constexpr std::size_t kTrimRows = 256;
constexpr std::chrono::hours kTrimAgain{24};  ///< at the latest: the time to keep may have been made shorter
constexpr std::chrono::seconds kTrimOn{1};
constexpr std::uint32_t kPageRowsMax = 500;
constexpr std::size_t kPageBytesMax = 256u << 10;

AuditHead head_of(chat::View& view) {
  if (auto head = view.get<AuditHead>(keys::audit_head())) return std::move(*head);
  AuditHead fresh;
  fresh.set_next(1);
  fresh.set_first(1);
  fresh.set_chain(kAuditChainStart);
  fresh.set_chain_before_first(kAuditChainStart);
  return fresh;
}

std::string trim_key(const AuditHead& head) {
  return keys::due(static_cast<std::uint64_t>(head.trim_ms()), due_what(DueKind::audit_trim, {}));
}

/// Null: it is none of this partition's.
std::optional<UserId> own_user(const chat::Context& context, std::string_view bytes) {
  const auto user = UserId::from_bytes(bytes);
  if (!user || partition_of(*user, context.partitions) != context.partition) return std::nullopt;
  return user;
}

void add_names(const chat::Context& context, AuditLine& line, chat::View& view) {
  for (auto& subject : *line.mutable_subjects()) {
    const auto user = own_user(context, subject.user());
    if (!user || !subject.name().empty()) continue;
    if (const auto account = view.get<state::Account>(keys::account(*user))) subject.set_name(account->username());
  }
}

void arm_trimming(const chat::Context& context, WallTime when, AuditHead& head, chat::Draft& draft) {
  head.set_trim_ms(to_ms(std::clamp(when, context.now + kTrimOn, context.now + kTrimAgain)));
  draft.put(trim_key(head), std::string());
}

void append(const chat::Context& context, AuditLine line, chat::View& view, chat::Draft& draft) {
  AuditHead head = head_of(view);
  line.set_time_ms(to_ms(context.now));
  add_names(context, line, view);
  std::string row = make_audit_row(head.chain(), line.SerializeAsString());
  head.set_chain(row.substr(0, kAuditChainBytes));
  draft.put(keys::audit(head.next()), std::move(row));
  for (const auto& subject : line.subjects())
    if (const auto user = own_user(context, subject.user()))
      draft.put(keys::audit_of(*user, head.next()), std::string());
  head.set_next(head.next() + 1);
  if (head.trim_ms() == 0) arm_trimming(context, context.now + context.limits.audit_keep, head, draft);
  draft.put(keys::audit_head(), head);
}

/// What of a stored row can be told; nothing if somebody has spoilt it.
std::optional<AuditLine> line_in(std::string_view row) {
  const auto parts = split_audit_row(row);
  AuditLine line;
  if (!parts || !line.ParseFromArray(parts->line.data(), static_cast<int>(parts->line.size()))) return std::nullopt;
  return line;
}

Range lines_from(std::uint64_t number, std::size_t limit) {
  return {keys::audit(number), keys::after_prefix(keys::prefix(keys::Family::audit)), limit, kPageBytesMax, false};
}

std::uint64_t number_in(const Row& row) {
  const auto key = keys::decode(row.key);
  HF_CHECK(key, "a range of keys has keys of the grammar");
  return key->number;
}

// ------------------------------------------------------------------------------------------------ reading

/// The last line before that time (0: none). The steps don't depend on where the journal ends, so that they lead
/// somewhere while it grows.
std::uint64_t last_before(std::int64_t since_ms, const AuditHead& head, chat::View& view) {
  std::uint64_t before = 0;
  for (std::uint64_t step = std::uint64_t{1} << 62; step != 0; step /= 2) {
    const std::uint64_t there = before + step;
    if (there >= head.next()) continue;
    if (there >= head.first()) {
      const auto* rows = view.range(lines_from(there, 1));
      if (!rows || rows->empty()) continue;
      const auto line = line_in(rows->front().value);
      if (!line || line->time_ms() >= since_ms) continue;
    }
    before = there;
  }
  return before;
}

void add_row(std::uint64_t number, std::string row, command::AuditPage& page) {
  auto& out = *page.add_rows();
  out.set_number(number);
  out.set_row(std::move(row));
}

void show_all(const command::ShowAudit& ask, std::size_t limit, chat::View& view, command::AuditPage& page) {
  std::uint64_t after = ask.after();
  if (ask.since_ms() > 0) after = std::max(after, last_before(ask.since_ms(), page.head(), view));
  const auto* rows = view.range(lines_from(after + 1, limit));
  if (!rows) return;
  for (const Row& row : *rows) add_row(number_in(row), row.value, page);
  if (!rows->empty()) page.set_next(number_in(rows->back()));
}

Range index_of(const UserId& user, const command::ShowAudit& ask, std::size_t limit) {
  const std::string prefix = keys::prefix(keys::Family::audit_of, user.bytes());
  Range range{prefix, keys::after_prefix(prefix), limit, kPageBytesMax, ask.newest_first()};
  if (!ask.newest_first()) range.from = keys::audit_of(user, ask.after() + 1);
  if (ask.newest_first() && ask.after() != 0) range.until = keys::audit_of(user, ask.after());
  return range;
}

void show_of(const UserId& user, const command::ShowAudit& ask, std::size_t limit, chat::View& view,
             command::AuditPage& page) {
  const auto* rows = view.range(index_of(user, ask, limit));
  if (!rows) return;
  for (const Row& index : *rows) {
    const std::uint64_t number = number_in(index);
    const std::string* row = view.row(keys::audit(number));
    if (!row) continue;  // trimmed a moment ago
    const auto line = line_in(*row);
    if (!line || line->time_ms() >= ask.since_ms()) add_row(number, *row, page);
  }
  if (!rows->empty()) page.set_next(number_in(rows->back()));
}

// ------------------------------------------------------------------------------------------------ trimming

void remove_line(const chat::Context& context, const Row& row, AuditHead& head, chat::Draft& draft) {
  if (const auto line = line_in(row.value))
    for (const auto& subject : line->subjects())
      if (const auto user = own_user(context, subject.user())) draft.remove(keys::audit_of(*user, number_in(row)));
  if (const auto parts = split_audit_row(row.value)) head.set_chain_before_first(std::string(parts->chain));
  draft.remove(row.key);
  head.set_first(number_in(row) + 1);
}

}  // namespace

void Audit::on_event(const bus::EventAt& at, chat::View&, bus::Outcome& outcome) const {
  for (auto& [partition, line] : audit_lines(at)) {
    auto& [to, command] = outcome.commands.emplace_back(partition, command::Command());
    *command.mutable_append_audit()->mutable_line() = std::move(line);
  }
}

void append_audit(const chat::Context& context, const command::Command& command, chat::View& view, chat::Draft& draft) {
  if (chat::take_source(command, view, draft)) append(context, command.append_audit().line(), view, draft);
}

void show_audit(const chat::Context&, const command::Command& command, chat::View& view, chat::Draft& draft) {
  const command::ShowAudit& ask = command.show_audit();
  const auto user = UserId::from_bytes(ask.user());
  if (!user && !ask.user().empty()) return draft.refuse(v1::INVALID_ARGUMENT, "user: an id has 16 bytes");
  const std::size_t limit = std::clamp(ask.limit(), 1u, kPageRowsMax);
  command::AuditPage& page = *draft.answer().mutable_audit_page();
  *page.mutable_head() = head_of(view);
  user ? show_of(*user, ask, limit, view, page) : show_all(ask, limit, view, page);
}

void audit_trim_due(const chat::Context& context, const Due& due, chat::View& view, chat::Draft& draft) {
  AuditHead head = head_of(view);
  draft.remove(std::string(due.key));
  const auto* rows = view.range(lines_from(head.first(), kTrimRows));
  if (!rows) return;
  const WallTime oldest_kept = context.now - context.limits.audit_keep;
  std::optional<WallTime> next;
  for (const Row& row : *rows) {
    const auto line = line_in(row.value);  // one that is spoilt goes with those before it
    if (line && from_ms(line->time_ms()) > oldest_kept) {
      next = from_ms(line->time_ms()) + context.limits.audit_keep;
      break;
    }
    remove_line(context, row, head, draft);
  }
  const bool empty = !next && head.first() >= head.next();
  head.set_trim_ms(0);
  if (!empty) arm_trimming(context, next.value_or(context.now), head, draft);
  draft.put(keys::audit_head(), head);
}

void note_operator(const chat::Context&, const command::Command& command, chat::View&, chat::Draft& draft) {
  const command::NoteOperator& note = command.note_operator();
  for (const std::string& text : {note.operation(), note.target(), note.reason(), note.peer(), note.by()})
    if (!chat::is_utf8(text)) return draft.refuse(v1::INVALID_ARGUMENT, "what an operator did is told in UTF-8");
  log::OperatorActed& acted = *draft.emit().mutable_operator_acted();
  acted.set_operation(note.operation());
  acted.set_target(note.target());
  acted.set_reason(note.reason());
  acted.set_peer(note.peer());
  acted.set_outcome(note.outcome());
  acted.set_by(note.by());
  acted.set_user(note.user());
}

void note_cluster(const chat::Context&, const command::Command& command, chat::View&, chat::Draft& draft) {
  for (const auto& one : command.note_cluster().all()) {
    log::ClusterHappened& happened = *draft.emit().mutable_cluster_happened();
    happened.set_kind(one.kind());
    happened.set_node(one.node());
    happened.set_by(one.by());
    happened.set_partitions(one.partitions());
    happened.set_took_ms(one.took_ms());
    happened.set_text(one.text());
    happened.set_time_ms(one.time_ms());
  }
}

}  // namespace holdfast::services
