/// The audit journal: what happened to accounts and to the cluster, as lines that can't be altered unnoticed.
///
/// A subscriber of the bus makes lines of events (audit_lines.h) and has them appended, each exactly once, by a command
/// to the partition of whom they concern. Lines are numbered from 1 within the partition, chained (storage/audit_row.h),
/// kept for Limits::audit_keep and then removed from the front by a durable timer, which keeps the chain value before.
/// They outlive the account that they concern.
#pragma once

#include "server/bus/subscriber.h"
#include "server/chat/rules.h"
#include "server/services/due.h"

namespace holdfast::services {

class Audit final : public bus::Subscriber {
 public:
  std::string_view name() const override { return "audit"; }
  void on_event(const bus::EventAt& at, chat::View& view, bus::Outcome& outcome) const override;
};

/// Rules. The first adds the time, and the names of those subjects that live in this partition.
void append_audit(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void show_audit(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void audit_trim_due(const chat::Context&, const Due&, chat::View&, chat::Draft&);

/// An operator's doing, or the coordinator's, becomes an event: its line follows.
void note_operator(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);
void note_cluster(const chat::Context&, const command::Command&, chat::View&, chat::Draft&);

}  // namespace holdfast::services
