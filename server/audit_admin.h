/// What operators read of the audit journal, and what they and the cluster do becoming lines of it.
#pragma once

#include "server/engine.h"
#include "server/http/admin_pages.h"

namespace holdfast {

/// One page of one partition's lines, or of those that concern a user: a name, or an id in hex, for names of deleted
/// accounts lead nowhere. Asks whoever leads the partition.
void tell_audit(Engine& engine, const http::AuditRequest& request, http::Then<Result<http::AuditFigures>> then);

/// Has it noted in partition 0. What can't be written for half a minute is logged instead.
void note_in_audit(Shared& shared, command::Command note);

/// What was asked of the cluster by an operator, and what came of it.
void note_action(Shared& shared, const http::AdminAction& action, const Status& done);
void note_backup(Shared& shared, const http::BackupRequest& request, const Status& done);

}  // namespace holdfast
