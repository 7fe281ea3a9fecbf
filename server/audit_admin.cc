#include "server/audit_admin.h"

#include <spdlog/spdlog.h>
#include <boost/asio/steady_timer.hpp>

#include "base/hash.h"
#include "base/hex.h"
#include "server/chat/audited_address.h"
#include "server/chat/placement.h"
#include "storage/audit_row.h"

namespace holdfast {
namespace {

using http::AuditFigures;
using http::Then;

constexpr PartitionId kWhere{0};  ///< of what concerns the cluster
constexpr unsigned kNoteTries = 30;
constexpr std::chrono::seconds kNoteAgain{1};

const char* name_of(state::AuditLine::Actor actor) {
  switch (actor) {
    case state::AuditLine::USER: return "user";
    case state::AuditLine::OPERATOR: return "operator";
    case state::AuditLine::ANYBODY: return "anybody";
    default: return "server";
  }
}

std::string actor_of(const state::AuditLine& line) {
  std::string actor = name_of(line.actor());
  if (line.actor() == state::AuditLine::OPERATOR && !line.actor_name().empty()) actor += " " + line.actor_name();
  if (line.actor() != state::AuditLine::USER) return actor;
  for (const auto& subject : line.subjects())
    if (subject.user() == line.actor_user() && !subject.name().empty()) return "user " + subject.name();
  return "user " + to_hex(line.actor_user());
}

AuditFigures::Line line_of(const command::AuditPage::Row& row) {
  AuditFigures::Line out;
  out.number = row.number();
  const auto parts = split_audit_row(row.row());
  if (!parts) return out;
  out.chain = to_hex(parts->chain);
  out.raw = to_hex(parts->line);
  state::AuditLine line;
  if (!line.ParseFromArray(parts->line.data(), static_cast<int>(parts->line.size()))) {
    out.action = "unreadable";
    return out;
  }
  out.time_ms = line.time_ms();
  out.action = line.action();
  out.outcome = line.outcome();
  out.actor = actor_of(line);
  out.target = line.target();
  out.source = line.source();
  out.why = line.why();
  for (const auto& subject : line.subjects()) out.subjects.emplace_back(to_hex(subject.user()), subject.name());
  for (const auto& detail : line.details()) out.details.emplace_back(detail.name(), detail.value());
  return out;
}

AuditFigures figures_of(PartitionId id, std::uint16_t partitions, const command::AuditPage& page) {
  AuditFigures figures;
  figures.partition = id.value;
  figures.partitions = partitions;
  figures.first = page.head().first();
  figures.next = page.head().next();
  figures.chain = to_hex(page.head().chain());
  figures.chain_before_first = to_hex(page.head().chain_before_first());
  for (const auto& row : page.rows()) figures.lines.push_back(line_of(row));
  figures.next_after = page.next();
  return figures;
}

std::optional<UserId> user_in_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? UserId::from_bytes(*bytes) : std::nullopt;
}

Error error_of(const v1::Error& error) {
  return {error.code() == v1::NOT_FOUND ? Errc::not_found : Errc::retry_later, error.message()};
}

void ask(Shared& shared, PartitionId id, command::Command command, Answered then) {
  Worker& worker = shared.worker_of(id);
  worker.call([&worker, id, command = std::move(command), then = std::move(then)]() mutable {
    worker.ask(id, std::move(command), std::move(then));
  });
}

void show(Shared& shared, PartitionId id, std::optional<UserId> user, const http::AuditRequest& request,
          const Then<Result<AuditFigures>>& then) {
  command::Command command;
  command::ShowAudit& show = *command.mutable_show_audit();
  if (user) show.set_user(user->str());
  show.set_after(request.after);
  show.set_since_ms(request.since_ms);
  show.set_limit(request.limit);
  ask(shared, id, std::move(command), [&shared, id, then](const command::Answer& answer) {
    if (answer.frame().has_error()) return then(error_of(answer.frame().error()));
    then(figures_of(id, shared.partitions, answer.audit_page()));
  });
}

void show_user(Shared& shared, const http::AuditRequest& request, const Then<Result<AuditFigures>>& then) {
  command::Command find;
  find.mutable_find_user()->set_username(request.user);
  const auto found = [&shared, request, then](const command::Answer& answer) {
    auto user = UserId::from_bytes(answer.frame().user().user_id());
    if (!user) user = user_in_hex(request.user);
    if (!user) return then(error_of(answer.frame().error()));
    show(shared, partition_of(*user, shared.partitions), user, request, then);
  };
  ask(shared, chat::partition_of_name(request.user, shared.partitions), std::move(find), found);
}

void note(Shared& shared, const command::Command& what, unsigned tries_left) {
  ask(shared, kWhere, what, [&shared, what, tries_left](const command::Answer& answer) {
    if (!answer.frame().has_error()) return;
    if (tries_left == 0) return spdlog::warn("audit_line_lost what='{}'", what.ShortDebugString());
    Worker& worker = shared.worker_of(kWhere);
    const auto timer = std::make_shared<boost::asio::steady_timer>(worker.executor(), kNoteAgain);
    timer->async_wait([&shared, what, tries_left, timer](const error_code& error) {
      if (!error) note(shared, what, tries_left - 1);
    });
  });
}

std::string outcome_of(const Status& done) { return done ? std::string() : "refused: " + done.error().message; }

command::Command operator_note(const Shared& shared, const std::string& operation, const http::Asker& asker) {
  command::Command command;
  command::NoteOperator& note = *command.mutable_note_operator();
  note.set_operation(operation);
  note.set_peer(chat::audited_address(asker.address, *shared.limits));
  note.set_by(asker.name);
  return command;
}

}  // namespace

void tell_audit(Engine& engine, const http::AuditRequest& request, Then<Result<AuditFigures>> then) {
  Shared& shared = engine.shared();
  if (!request.partition) return show_user(shared, request, then);
  if (*request.partition >= shared.partitions)
    return then(Error{Errc::not_found, "there is no partition " + std::to_string(*request.partition) +
                                           ": they are 0 to " + std::to_string(shared.partitions - 1)});
  show(shared, PartitionId(static_cast<std::uint16_t>(*request.partition)), std::nullopt, request, then);
}

void note_in_audit(Shared& shared, command::Command what) { note(shared, what, kNoteTries); }

void note_action(Shared& shared, const http::AdminAction& action, const Status& done) {
  using Kind = http::AdminAction::Kind;
  static const std::map<Kind, const char*> names{
      {Kind::drain, "drain"},   {Kind::undrain, "undrain"},     {Kind::move, "move"},
      {Kind::remove, "remove"}, {Kind::rebalance, "rebalance"}, {Kind::unsafe_recover, "unsafe_recover"}};
  command::Command command = operator_note(shared, names.at(action.kind), action.asker);
  std::string target;
  if (action.node != 0) target = "node " + std::to_string(action.node);
  if (action.kind == Kind::move || action.kind == Kind::unsafe_recover)
    target = "partition " + std::to_string(action.partition) + ", " + target;
  if (action.kind == Kind::unsafe_recover)
    target += ", epoch " + std::to_string(action.epoch) + ", entry " + std::to_string(action.at);
  command.mutable_note_operator()->set_target(target);
  command.mutable_note_operator()->set_outcome(outcome_of(done));
  note_in_audit(shared, std::move(command));
}

void note_backup(Shared& shared, const http::BackupRequest& request, const Status& done) {
  command::Command command = operator_note(shared, "backup", request.asker);
  command.mutable_note_operator()->set_outcome(outcome_of(done));
  note_in_audit(shared, std::move(command));
}

}  // namespace holdfast
