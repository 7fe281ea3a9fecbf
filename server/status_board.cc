#include "server/status_board.h"

#include "server/chat/audited_address.h"
#include "server/metrics.h"

namespace holdfast {
namespace {

constexpr PartitionId kWhere{0};

http::StatusFigures::Incident figures_of(const state::Incident& incident) {
  http::StatusFigures::Incident out;
  out.since_ms = incident.since_ms();
  out.until_ms = incident.until_ms();
  out.automatic = incident.automatic();
  for (const auto& note : incident.notes()) out.notes.push_back({note.time_ms(), note.text()});
  return out;
}

void ask(Engine& engine, command::Command command, Answered then) {
  Worker& worker = engine.shared().worker_of(kWhere);
  worker.call([&worker, command = std::move(command), then = std::move(then)]() mutable {
    worker.ask(kWhere, std::move(command), std::move(then));
  });
}

/// Partitions whose primary's process is gone, as the configuration store tells.
std::uint32_t unserved_in(const failover::Controller& controller) {
  std::uint32_t unserved = 0;
  for (const auto& [id, row] : controller.view().partitions())
    if (!controller.view().live(row.config.primary())) ++unserved;
  return unserved;
}

}  // namespace

void StatusBoard::look() {
  count_unserved();
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(asking_, true)) return;  // partition 0 has not answered yet: nobody leads it
  }
  command::Command command;
  command.mutable_show_incidents();
  ask(engine_, std::move(command), [this](const command::Answer& answer) { take(answer); });
}

void StatusBoard::take(const command::Answer& answer) {
  const std::lock_guard lock(mutex_);
  asking_ = false;
  if (answer.frame().has_error() || !answer.has_incidents()) return;
  known_.read_ms = to_ms(wall_now());
  known_.incidents.clear();
  for (const auto& incident : answer.incidents().all()) known_.incidents.push_back(figures_of(incident));
}

void StatusBoard::count_unserved() {
  const auto partitions = engine_.shared().partitions;
  if (engine_.cluster() == nullptr) {
    const std::lock_guard lock(mutex_);
    known_.partitions = partitions;
    known_.unserved =
        static_cast<std::uint32_t>(partitions - std::min<std::size_t>(open_partitions(engine_), partitions));
    return;
  }
  engine_.cluster()->with_controller([this, partitions](const failover::Controller& controller) {
    const std::uint32_t unserved = unserved_in(controller);
    const std::lock_guard lock(mutex_);
    known_.partitions = partitions;
    known_.unserved = unserved;
  });
}

http::StatusFigures StatusBoard::figures() const {
  const std::lock_guard lock(mutex_);
  http::StatusFigures figures = known_;
  figures.now_ms = to_ms(wall_now());
  return figures;
}

void change_incident(Engine& engine, const http::IncidentRequest& request, http::Then<Status> then) {
  using Kind = http::IncidentRequest::Kind;
  using Change = command::ChangeIncident;
  SystemRandom random;
  command::Command command;
  Change& change = *command.mutable_change_incident();
  change.set_what(request.kind == Kind::start    ? Change::START
                  : request.kind == Kind::update ? Change::UPDATE
                                                 : Change::STOP);
  change.set_id(random.id<IntentId>().str());
  change.set_text(request.text);
  change.set_peer(chat::audited_address(request.asker.address, *engine.shared().limits));
  change.set_by(request.asker.name);
  ask(engine, std::move(command), [then = std::move(then)](const command::Answer& answer) {
    if (!answer.frame().has_error()) return then(Ok{});
    const auto& error = answer.frame().error();
    const Errc code = error.code() == v1::INVALID_ARGUMENT      ? Errc::invalid_argument
                      : error.code() == v1::PRECONDITION_FAILED ? Errc::in_use
                                                                : Errc::retry_later;
    then(Error{code, error.message()});
  });
}

}  // namespace holdfast
