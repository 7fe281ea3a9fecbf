#include "server/cluster_audit.h"

#include <algorithm>

#include "server/audit_admin.h"

namespace holdfast {
namespace {

using failover::Happening;
using Kind = Happening::Kind;

constexpr std::chrono::seconds kBeforeTakingOver{10};
constexpr int kHappeningsMax = 64;  ///< of one note; more are told by the next look

constexpr Kind kWorthALine[] = {Kind::dead,       Kind::returned,        Kind::restarted, Kind::promoted,
                                Kind::joined,     Kind::draining,        Kind::drained,   Kind::undrained,
                                Kind::handed_off, Kind::removed,         Kind::safe_mode, Kind::coordinator_changed,
                                Kind::in_use,     Kind::unsafe_recovered};

bool is_worth_a_line(Kind kind) { return std::ranges::find(kWorthALine, kind) != std::end(kWorthALine); }

void add(const Happening& happening, command::NoteCluster& note) {
  auto& one = *note.add_all();
  one.set_kind(failover::name_of(happening.kind));
  one.set_node(happening.node.value);
  one.set_by(happening.by.value);
  one.set_partitions(happening.partitions);
  one.set_took_ms(static_cast<std::uint64_t>(happening.took.count()));
  one.set_text(happening.text);
  one.set_time_ms(to_ms(happening.time));
}

}  // namespace

void ClusterAudit::look() {
  if (engine_.cluster() == nullptr) return;
  engine_.cluster()->with_controller([this](const failover::Controller& controller) { tell(controller); });
}

void ClusterAudit::tell(const failover::Controller& controller) {
  const failover::Happenings& happenings = controller.happenings();
  const bool coordinates = controller.coordinates();
  const bool takes_over = coordinates && !coordinates_;
  coordinates_ = coordinates;
  if (!coordinates) return;

  const WallTime not_before = wall_now() - kBeforeTakingOver;
  std::uint64_t number = happenings.count() - happenings.all().size();
  command::Command command;
  for (const Happening& happening : happenings.all()) {
    if (++number <= told_) continue;
    if (command.note_cluster().all_size() == kHappeningsMax) break;
    told_ = number;
    if (takes_over && happening.time < not_before) continue;
    if (is_worth_a_line(happening.kind)) add(happening, *command.mutable_note_cluster());
  }
  if (command.has_note_cluster()) note_in_audit(engine_.shared(), std::move(command));
}

}  // namespace holdfast
